//! `[mail]`: what letters say, and how they leave.

use std::{fs, net::IpAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::{duration::MINUTE, reader::Reader};
use crate::mail::{LinkBase, Roots, Security, Sender, Settings, SmtpSettings, Templates, Transport};

/// What letters call a service that has not said its name.
const NAMELESS: &str = "countersign";

/// The kinds of transport that can be named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Console,
    Smtp,
}

/// Reads `[mail]`.
pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let kind = read_kind(reader);
    let from = read_sender(reader, kind);
    let smtp = read_smtp(reader, kind);
    let links = read_link_base(reader, kind);
    let name = from.as_ref().map(|from| from.name.as_str()).filter(|name| !name.is_empty());
    let templates = links.and_then(|links| read_templates(reader, name.unwrap_or(NAMELESS), links));
    let transport = match kind? {
        Kind::None => Transport::None,
        Kind::Console => Transport::Console,
        Kind::Smtp => Transport::Smtp(Box::new(smtp?.with(from?))),
    };
    Some(Settings { transport, templates: templates? })
}

fn read_kind(reader: &mut Reader) -> Option<Kind> {
    // Saying nothing is not a choice: nobody could confirm an address or choose a new password, and nobody would know why.
    if reader.is_production() && !reader.is_set("mail.transport") {
        let what = "is required in production: \"smtp\", or \"none\" where operators make every account with `countersign user create`";
        reader.refuse("mail.transport", what);
        return None;
    }
    let kind = reader.parse("mail.transport", |text| match text {
        "none" => Ok(Kind::None),
        "console" => Ok(Kind::Console),
        "smtp" => Ok(Kind::Smtp),
        _ => Err("must be \"smtp\", \"none\" or \"console\""),
    })?;
    // Letters name people: on a terminal they are for whoever develops, in a log for nobody.
    if reader.is_production() && kind == Kind::Console {
        reader.refuse("mail.transport", "is for development: in production letters would end in the log");
    }
    Some(kind)
}

fn read_sender(reader: &mut Reader, kind: Option<Kind>) -> Option<Sender> {
    let is_needed = kind == Some(Kind::Smtp) || reader.is_set("mail.from");
    is_needed.then(|| reader.parse("mail.from", str::parse)).flatten()
}

fn read_link_base(reader: &mut Reader, kind: Option<Kind>) -> Option<LinkBase> {
    let key = "mail.link_base";
    if kind != Some(Kind::Smtp) && !reader.is_set(key) {
        // No letter leaves that could have a link in it.
        return "https://localhost".parse().ok();
    }
    let base: LinkBase = reader.parse(key, str::parse)?;
    if reader.is_production() && !base.is_https() {
        reader.refuse(key, "must begin with https:// in production: links carry one-time codes");
    }
    Some(base)
}

fn read_templates(reader: &mut Reader, service: &str, links: LinkBase) -> Option<Templates> {
    let folder = reader.path("mail.templates");
    Templates::load(folder.as_deref(), service, links)
        .map_err(|error| reader.refuse("mail.templates", format!("cannot be used: {error}")))
        .ok()
}

/// All but whom letters are from.
struct Server {
    host: String,
    port: u16,
    security: Security,
    roots: Option<Roots>,
    credentials: Option<(String, SecretString)>,
    timeout: Duration,
}

impl Server {
    fn with(self, from: Sender) -> SmtpSettings {
        let Self { host, port, security, roots, credentials, timeout } = self;
        SmtpSettings { host, port, security, roots, credentials, from, timeout }
    }
}

fn read_smtp(reader: &mut Reader, kind: Option<Kind>) -> Option<Server> {
    let is_needed = kind == Some(Kind::Smtp) || reader.is_set("mail.smtp_host");
    let host = is_needed.then(|| reader.parse("mail.smtp_host", read_host)).flatten();
    let security: Option<Security> = reader.parse("mail.smtp_security", str::parse);
    let port = reader.number("mail.smtp_port", 0..=u16::MAX);
    let roots = read_roots(reader);
    let credentials = read_credentials(reader);
    let timeout = reader.duration("mail.smtp_timeout", Duration::from_secs(1)..=MINUTE);

    let (host, security, port) = (host?, security?, port?);
    if security == Security::None && reader.is_production() && !is_this_machine(&host) {
        let what =
            "is for a server on this machine: on the way to another, letters and their codes could be read by anybody";
        reader.refuse("mail.smtp_security", what);
    }
    let port = if port == 0 { security.usual_port() } else { port };
    Some(Server { host, port, security, roots: roots?, credentials: credentials?, timeout: timeout? })
}

fn read_host(text: &str) -> Result<String, &'static str> {
    let is_name = text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
    if is_name || text.parse::<IpAddr>().is_ok() {
        Ok(text.to_owned())
    } else {
        Err("must be the name of a server, like smtp.example.com; its port is smtp_port")
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The outer `None` is for what was refused.
#[expect(clippy::option_option, reason = "what may be left out may also be wrong")]
fn read_roots(reader: &mut Reader) -> Option<Option<Roots>> {
    let key = "mail.smtp_roots";
    if !reader.is_set(key) {
        return Some(None);
    }
    let path = reader.path(key)?;
    let pem = fs::read(&path).map_err(|error| reader.refuse(key, format!("cannot be read: {error}"))).ok()?;
    Roots::from_pem(&pem).map_err(|error| reader.refuse(key, error.to_string())).ok().map(Some)
}

/// The outer `None` is for what was refused.
#[expect(clippy::option_option, reason = "what may be left out may also be wrong")]
fn read_credentials(reader: &mut Reader) -> Option<Option<(String, SecretString)>> {
    let (name_key, key) = ("mail.smtp_username", "mail.smtp_password");
    let is_file_set = reader.is_set("mail.smtp_password_file");
    let secret = reader.secret(key);
    if let Some(Err(what)) = secret.as_ref().map(|secret| read_credential(secret.text.expose_secret())) {
        reader.refuse(secret.as_ref().map_or(key, |secret| secret.key.as_str()), what);
        return None;
    }
    let name = if reader.is_set(name_key) { Some(reader.parse(name_key, read_credential)?) } else { None };
    match (name, secret) {
        (None, None) => (!is_file_set).then_some(None),
        (Some(name), Some(secret)) => Some(Some((name, secret.text))),
        (Some(_), None) => {
            // A file that cannot be read was noted.
            if !is_file_set {
                reader.refuse(key, format!("is required beside {name_key}"));
            }
            None
        }
        (None, Some(secret)) => {
            reader.refuse(name_key, format!("is required beside {}", secret.key));
            None
        }
    }
}

/// SASL's PLAIN takes everything but NUL; nobody means the other control characters.
fn read_credential(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > 1_024 || text.contains(char::is_control) {
        return Err("must be 1 to 1024 bytes without control characters");
    }
    Ok(text.to_owned())
}
