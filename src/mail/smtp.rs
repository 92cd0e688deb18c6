//! Mail by way of a mail server: one connection a letter, so that one that hangs holds up no other.

use std::{fmt, time::Duration};

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
    commands::{Data, Mail as From, Rcpt},
    extension::ClientId,
    response::Response,
};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::{Mail, MailError, Mailer, Security, Sending, SmtpSettings, compose};

/// For the whole conversation, however its steps divide it: less than what others wait before they try the letter too.
const PATIENCE: Duration = Duration::from_mins(1);

/// Certificates of those who vouch for a mail server.
#[derive(Clone)]
pub struct Roots(Certificate);

/// There is no certificate in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds no certificate in PEM that can be used")]
pub struct InvalidRoots;

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS with the mail server cannot be set up")]
pub struct SmtpSetupError(#[source] Error);

/// Sends letters by way of a mail server.
pub struct SmtpMailer {
    settings: SmtpSettings,
    hello: ClientId,
    tls: Option<TlsParameters>,
}

impl Roots {
    /// Reads one or more certificates.
    ///
    /// # Errors
    /// When there is none, or one that nobody can use.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidRoots> {
        let is_there = String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----");
        let roots = Certificate::from_pem(pem).ok().filter(|_| is_there).ok_or(InvalidRoots)?;
        // The library looks into them only here.
        tls("localhost", Some(&Self(roots.clone()))).map(|_| Self(roots)).map_err(|_| InvalidRoots)
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Roots")
    }
}

impl SmtpMailer {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpSetupError> {
        let tls = match settings.security {
            Security::None => None,
            Security::Tls | Security::StartTls => {
                Some(tls(&settings.host, settings.roots.as_ref()).map_err(SmtpSetupError)?)
            }
        };
        // Of a machine in a container there is no name that would mean anything to others.
        let hello = ClientId::Domain(settings.from.email.ascii_domain().to_owned());
        Ok(Self { settings, hello, tls })
    }

    async fn converse(&self, mail: &Mail) -> Result<(), MailError> {
        let letter = compose::message(mail, &self.settings.from)?;
        let refused = |_| MailError::Refused { why: "the address cannot be written to".to_owned() };
        let to = compose::address(&mail.to).map_err(refused)?;
        let from = compose::address(&self.settings.from.email).map_err(refused)?;

        let mut connection = self.connect().await?;
        // Each answer has to be the one that this step can have: were the answers put out of step, as by who inserts one
        // before TLS begins, a letter could seem taken that is not.
        self.step("MAIL", &[250], connection.command(From::new(Some(from), Vec::new()))).await?;
        // From here on a refusal for good is this letter's; before, it is of us.
        let of_this_letter = |failure: Failure| failure.of_letter();
        let to = Rcpt::new(to, Vec::new());
        self.try_step("RCPT", &[250, 251], connection.command(to)).await.map_err(of_this_letter)?;
        self.try_step("DATA", &[354], connection.command(Data)).await.map_err(of_this_letter)?;
        self.try_step("the letter", &[250], connection.message(&letter)).await.map_err(of_this_letter)?;
        self.leave(connection);
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let SmtpSettings { host, port, security, credentials, timeout: patience, .. } = &self.settings;
        let at_once = self.tls.clone().filter(|_| *security == Security::Tls);
        let connecting =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(*patience), &self.hello, at_once, None);
        let mut connection = self.in_time("connecting", connecting).await.map_err(Failure::of_us)?;
        if let Some(tls) = self.tls.clone().filter(|_| *security == Security::StartTls) {
            self.in_time("STARTTLS", connection.starttls(tls, &self.hello)).await.map_err(Failure::of_us)?;
        }
        if let Some((name, password)) = credentials {
            let credentials = Credentials::new(name.clone(), password.expose_secret().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            self.step("AUTH", &[235], connection.auth(&mechanisms, &credentials)).await?;
        }
        Ok(connection)
    }

    async fn step(
        &self,
        name: &'static str,
        good: &[u16],
        step: impl Future<Output = Result<Response, Error>>,
    ) -> Result<(), MailError> {
        self.try_step(name, good, step).await.map_err(Failure::of_us)
    }

    async fn try_step(
        &self,
        name: &'static str,
        good: &[u16],
        step: impl Future<Output = Result<Response, Error>>,
    ) -> Result<(), Failure> {
        let code = u16::from(self.in_time(name, step).await?.code());
        if good.contains(&code) {
            return Ok(());
        }
        Err(Failure { why: format!("{name} was answered {code}, which is out of step"), is_final: false })
    }

    async fn in_time<T>(&self, name: &'static str, step: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        match timeout(self.settings.timeout, step).await {
            Ok(outcome) => outcome.map_err(|error| Failure::new(name, &error)),
            Err(_) => Err(Failure { why: format!("{name} took too long"), is_final: false }),
        }
    }

    /// Says goodbye without waiting: the letter has been taken, and nothing must come between that and writing it down.
    fn leave(&self, mut connection: AsyncSmtpConnection) {
        let patience = self.settings.timeout;
        tokio::spawn(async move { timeout(patience, connection.quit()).await });
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            let too_long = |_| MailError::Postponed { why: "the conversation took too long".to_owned() };
            timeout(PATIENCE, self.converse(mail)).await.unwrap_or_else(|elapsed| Err(too_long(elapsed)))
        })
    }
}

/// A step that did not succeed.
struct Failure {
    /// Without what the server said, which quotes addresses.
    why: String,
    /// Whether the server said that it will not change its mind.
    is_final: bool,
}

impl Failure {
    fn new(name: &'static str, error: &Error) -> Self {
        let why = match error.status() {
            Some(code) => format!("{name} was answered {code}"),
            None if error.is_response() => format!("{name} was answered with something that is not SMTP, or cut off"),
            None => format!("{name} failed: {error}"),
        };
        Self { why, is_final: error.is_permanent() }
    }

    /// Nothing is known against the letter.
    fn of_us(self) -> MailError {
        MailError::Postponed { why: self.why }
    }

    /// Once for all, if the server says so.
    fn of_letter(self) -> MailError {
        if self.is_final { MailError::Refused { why: self.why } } else { self.of_us() }
    }
}

/// Every certificate is verified: against these roots and no others, or against Mozilla's.
fn tls(host: &str, roots: Option<&Roots>) -> Result<TlsParameters, Error> {
    let builder = TlsParameters::builder(host.to_owned());
    match roots {
        Some(Roots(roots)) => {
            builder.certificate_store(CertificateStore::None).add_root_certificate(roots.clone()).build()
        }
        None => builder.certificate_store(CertificateStore::WebpkiRoots).build(),
    }
}
