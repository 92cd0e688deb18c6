//! `countersign serve`: runs the service until it is told to stop.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use super::{Error, Options, assembly::Assembly, error::Context, mark::MarkFile, signals};
use crate::{
    config::{Config, Profile},
    server::Server,
};

pub(super) async fn run(options: &Options) -> Result<(), Error> {
    let config = options.load()?;
    let stop = CancellationToken::new();
    // Before anybody is told that it serves: who then tells it to stop is heard.
    signals::cancel_on_first(&stop).context("listening for signals")?;

    let assembly = Assembly::start(&config).await?;
    let mark = MarkFile::of(&config);
    mark.require_sequel(&assembly.app).await?;
    let server = Server::bind(config.server.clone()).await.context("listening")?;
    announce(&server).and_then(|()| tell_next_steps(&config, &server.url())).context("writing to standard error")?;
    let ended = CancellationToken::new();
    let marking = tokio::spawn(mark.keep(assembly.app.clone(), ended.clone()));
    // On the heap: what all of it carries along is large.
    Box::pin(server.run(assembly.app.clone(), stop)).await.context("serving")?;
    ended.cancel();
    marking.await.context("remembering where the database had come")?;
    assembly.stop().await
}

/// Says where.
pub(super) fn announce(server: &Server) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    if let Some(address) = server.metrics_addr() {
        writeln!(stderr, "metrics on http://{address}/metrics")?;
    }
    writeln!(stderr, "listening on {}", server.url())
}

/// Says to who tries it out what to type next.
fn tell_next_steps(config: &Config, url: &str) -> io::Result<()> {
    if config.profile == Profile::Development && config.server.reflection {
        write!(io::stderr(), "{}", next_steps(url))?;
    }
    Ok(())
}

/// Lines to paste into another terminal.
fn next_steps(url: &str) -> String {
    let (scheme, address) = url.split_once("://").unwrap_or(("http", url));
    let tls = if scheme == "https" { "-insecure" } else { "-plaintext" };
    let sign_up = r#"{"email":"ada@example.com","password":"correct horse battery staple","display_name":"Ada"}"#;
    let login = r#"{"email":"ada@example.com","password":"correct horse battery staple"}"#;
    format!(
        "\nTo try it out, in another terminal:
  grpcurl {tls} {address} list
  grpcurl {tls} -d '{sign_up}' {address} countersign.v1.AuthService/SignUp
  grpcurl {tls} -d '{login}' {address} countersign.v1.AuthService/Login
and with the accessToken that Login answers in TOKEN:
  grpcurl {tls} -H \"authorization: Bearer $TOKEN\" {address} countersign.v1.AuthService/WhoAmI\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_steps_name_the_port_that_was_taken() {
        let steps = next_steps("http://127.0.0.1:40123");
        assert_eq!(steps.matches("-plaintext").count(), 4, "{steps}");
        assert_eq!(steps.matches("127.0.0.1:40123 ").count(), 4, "{steps}");
        assert!(next_steps("https://127.0.0.1:1").contains("-insecure"));
    }
}
