//! `[edge]`, and what else an edge is set up by: it has neither accounts nor a database.

use std::fs;

use secrecy::ExposeSecret;

use super::{Problems, Profile, Sources, layers, listener, read_log, reader::Reader, rules};
use crate::{
    app::Staleness,
    domain::BackendKey,
    server, telemetry,
    upstream::{InvalidUpstream, Settings},
};

/// Everything that an operator can set about an edge.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// Which defaults and which refusals hold.
    pub profile: Profile,
    /// The listener.
    pub server: server::Settings,
    /// Whom it follows.
    pub upstream: Settings,
    /// How fresh its knowledge must be.
    pub staleness: Staleness,
    /// The log.
    pub log: telemetry::Settings,
}

impl EdgeConfig {
    /// Reads and checks what concerns an edge. Changes nothing; reads the files that it names.
    ///
    /// # Errors
    /// With everything that is wrong, unless the file itself cannot be read.
    pub fn load(sources: &Sources) -> Result<Self, Problems> {
        let mut reader = Reader::new(layers::gather(sources)?);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        let profile = reader.parse("profile", str::parse);
        let listener = listener::read(reader);
        let upstream = read_upstream(reader);
        let staleness = rules::read_staleness(reader);
        let log = read_log(reader);
        Some(Self { profile: profile?, server: listener?, upstream: upstream?, staleness: staleness?, log: log? })
    }
}

fn read_upstream(reader: &mut Reader) -> Option<Settings> {
    let url = reader.parse("edge.upstream", |text| Ok::<_, String>(text.to_owned()));
    let trust_plain_http = reader.switch("edge.trust_plain_http");
    let key = read_key(reader);
    let roots = read_roots(reader);
    // With what is sure to be right in place of what is not there, so that one bad setting does not hide another.
    let stand_in = || BackendKey::from_text(String::new());
    let settings = |url: &str, roots: Option<String>| Settings {
        url: url.to_owned(),
        key: key.clone().unwrap_or_else(stand_in),
        roots,
        trust_plain_http: trust_plain_http.unwrap_or(true),
    };
    let checks = [
        ("edge.upstream", url.as_deref().map(|url| settings(url, None))),
        ("edge.roots", Some(settings("https://localhost", roots.clone()))),
    ];
    for (setting, check) in checks {
        match check.map_or(Ok(()), |settings| settings.check()) {
            Ok(()) => {}
            Err(InvalidUpstream::PlainHttp) => {
                let what = "is plain http to another machine, where whoever is on the way sees the key and can put keys of \
                            their own: use https://, or set edge.trust_plain_http = true if something else encrypts the way";
                reader.refuse(setting, what);
            }
            Err(other) => reader.refuse(setting, other.to_string()),
        }
    }
    Some(Settings { url: url?, key: key?, roots, trust_plain_http: trust_plain_http? })
}

fn read_key(reader: &mut Reader) -> Option<BackendKey> {
    if !reader.is_set("edge.key") && !reader.is_set("edge.key_file") {
        let what = "is required: make one at the upstream with `countersign backend create --edge --name NAME`, keep it in a \
                    file, and name that in edge.key_file";
        reader.refuse("edge.key", what);
        return None;
    }
    let secret = reader.secret("edge.key")?;
    let key = BackendKey::from_text(secret.text.expose_secret().to_owned());
    key.parts().map_err(|error| reader.refuse(&secret.key, error.to_string())).ok()?;
    Some(key)
}

/// None where nothing is set, as well as where what is set was refused.
fn read_roots(reader: &mut Reader) -> Option<String> {
    let path = reader.path("edge.roots")?;
    let text =
        fs::read_to_string(path).map_err(|error| reader.refuse("edge.roots", format!("cannot be read: {error}")));
    text.ok()
}
