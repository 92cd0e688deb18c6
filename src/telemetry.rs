//! The log: what it lets through, how it looks, and that nothing a stranger sends can forge a line of it.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
    str::FromStr,
};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, ParseError, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// What an operator can set about the log.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How it looks.
    pub format: Format,
    /// What it lets through.
    pub filter: Filter,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The text is not a [`Format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"text\" or \"json\"")]
pub struct InvalidFormat;

/// What is let through: directives of `tracing_subscriber`'s `Targets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

/// The text is not a [`Filter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be error, warn, info, debug or trace, or directives like info,countersign=debug")]
pub struct InvalidFilter;

/// The log cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be set up")]
pub struct LogError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Below `info` these print the headers, bodies or statements that pass through them, tokens and passwords included; the
/// migrator tells at `info` what is logged in one line already, and PostgreSQL that its table is there.
const TALKATIVE: &str = "h2=info,hyper=info,hyper_util=info,tonic=info,tower=info,tower_http=info,\
    rustls=info,tokio_rustls=info,sqlx=info,sqlx::postgres::notice=warn,sea_orm=info,sea_orm_migration=warn";

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, InvalidFormat> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(InvalidFormat),
        }
    }
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        // A misspelt level would otherwise be taken for the name of a module, and let nothing of ours through.
        let is_known = |directive: &str| {
            let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
            !level.is_empty() && level.parse::<LevelFilter>().is_ok()
        };
        if text.split(',').all(is_known) && text.parse::<Targets>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFilter)
        }
    }
}

/// Sends the log of this process to standard error.
///
/// # Errors
/// When it was set up before.
pub fn init(settings: &Settings) -> Result<(), LogError> {
    subscriber(settings, io::stderr).and_then(|subscriber| subscriber.try_init().map_err(|e| LogError(e.into())))
}

fn subscriber<W>(settings: &Settings, writer: W) -> Result<impl tracing::Subscriber + Send + Sync + use<W>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Of two directives for one target the later holds: naming a library on purpose still shows all of it.
    let filter: Targets =
        format!("{TALKATIVE},{}", settings.filter.0).parse().map_err(|e: ParseError| LogError(e.into()))?;
    // Without colours: they are made of the very characters that are escaped.
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Escaping(writer));
    let lines = match settings.format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(tracing_subscriber::registry().with(filter).with(lines))
}

/// `text` with every character escaped that moves the cursor, ends the line or turns the writing around.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            // As JSON writes it, so that an escaped line of JSON stays one. Writing to a string cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes writers that escape whatever an event holds, wherever it came from: message, field or error.
struct Escaping<W>(W);

/// Takes one event a call, as the formatting layer hands them over.
struct EscapingWriter<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaping<W> {
    type Writer = EscapingWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingWriter(self.0.make_writer())
    }
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", escaped(line)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str, log: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let settings = Settings { format, filter: filter.parse().unwrap() };
        tracing::subscriber::with_default(subscriber(&settings, move || writer.clone()).unwrap(), log);
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    const FORGED: &str = "ada\r\n2026-01-01T00:00:00Z ERROR forged \u{1b}[31m\u{9b}31m\u{7f}\u{202e}\u{2028}";

    #[test]
    fn nothing_that_is_logged_can_forge_a_line_or_drive_the_terminal() {
        for format in [Format::Text, Format::Json] {
            let log = logged(format, "info", || {
                tracing::info!(user_agent = %FORGED, debugged = ?FORGED, plain = FORGED, "{FORGED}");
                tracing::info!("second");
            });
            assert_eq!(log.lines().count(), 2, "{log}");
            assert!(!log.trim_end_matches('\n').replace('\n', "").contains(is_unsafe), "{log:?}");
            assert!(log.contains("ada"), "{log}");
        }
    }

    #[test]
    fn json_stays_json_when_it_is_escaped() {
        let log = logged(Format::Json, "info", || tracing::info!(user_agent = FORGED, "hello"));
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["user_agent"], FORGED);
        assert_eq!(line["message"], "hello");
    }

    #[test]
    fn a_lower_level_does_not_open_the_libraries_that_print_what_passes_through_them() {
        let log = || {
            tracing::debug!(target: "countersign::app", "ours");
            tracing::debug!(target: "h2::codec", "authorization: Bearer secret");
            tracing::debug!(target: "sqlx::query", "secret");
        };
        let all = logged(Format::Text, "trace", log);
        assert!(all.contains("ours") && !all.contains("secret"), "{all}");
        assert!(logged(Format::Text, "info,h2=debug", log).contains("Bearer"), "named on purpose");
        assert_eq!(logged(Format::Text, "info", log), "");
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        for text in ["info", "off", "WARN", "info,countersign=debug", "countersign::app=trace,error"] {
            assert!(text.parse::<Filter>().is_ok(), "{text}");
        }
        for text in ["", "inf", "verbose", "info,", "countersign=loud", "countersign", "=info,,"] {
            assert_eq!(text.parse::<Filter>(), Err(InvalidFilter), "{text:?}");
        }
    }
}
