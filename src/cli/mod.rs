//! The command line: what can be said, and which file does it.

mod accept_restore;
mod assembly;
mod backend;
mod check_config;
mod edge;
mod error;
mod key_generate_master;
mod key_list;
mod key_rotate;
mod mail;
mod mark;
mod migrate;
mod options;
mod output;
mod serve;
mod signals;
mod user_create;
mod user_switch;

use clap::{Parser, Subcommand};

pub use error::Error;
pub use options::Options;

const AFTER_HELP: &str = "\
With no settings at all it runs for development: reachable from this machine only, data in ./data (SQLite, and a master key
made on the first start). For people's accounts set profile = \"production\", which refuses to start on what is not safe.

A setting is taken from the first of these that has it:
  flags         the few above
  environment   COUNTERSIGN_<SECTION>__<KEY>, e.g. COUNTERSIGN_SERVER__LISTEN=127.0.0.1:50052
                a secret also from a file: COUNTERSIGN_KEYS__MASTER_KEY_FILE, COUNTERSIGN_DATABASE__URL_FILE
  file          --config FILE
  defaults      all listed, with reasons, by `countersign check-config --print-defaults`

Examples:
  countersign                                                      run, for development
  countersign --config /etc/countersign.toml                       run, as that file says
  countersign --config /etc/countersign.toml check-config          say everything that is wrong with it
  (umask 077; countersign key generate-master > master.key)        make the secret that production asks for
  countersign user create --email ada@example.com --role admin     ask for a password, make an account
  countersign backend create --edge --name edge-1 > edge.key       at the service: let an edge in
  COUNTERSIGN_EDGE__KEY_FILE=edge.key countersign edge --upstream https://auth.example.com

Exit status: 0 done; 1 failed; 2 a wrong command line or configuration.";

/// Signs people in over gRPC and gRPC-web, issues PASETO tokens, and lets every other service verify them.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    /// `serve` when none is named.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service until SIGINT or SIGTERM; this is the default
    Serve,
    /// Verify tokens without a database, as the service at `--upstream` tells: near to gateways, in another region
    Edge(edge::Args),
    /// Bring the schema of the database up to date, and say what was done
    Migrate,
    /// Take a database that was set back, as by a restored backup: everybody signs in again, and nothing revoked counts again
    AcceptRestore,
    /// Read the whole configuration and say everything that is wrong with it
    CheckConfig(check_config::Args),
    /// Make, disable and enable accounts, in the database itself: the service need not run
    #[command(subcommand)]
    User(UserCommand),
    /// Look at and change signing keys, make master keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at letters that have not left, and have them tried again
    #[command(subcommand)]
    Mail(MailCommand),
    /// Let other services ask about tokens, and shut them out again
    #[command(subcommand)]
    Backend(BackendCommand),
}

#[derive(Subcommand)]
enum BackendCommand {
    /// Let a service in, and print its key: once, since it is not kept
    Create(backend::Create),
    /// List the services that were let in
    List,
    /// Shut a service out, on every node within a second
    Revoke(backend::Revoke),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make an account; its password is asked for, never taken from the command line
    Create(user_create::Args),
    /// End an account's sessions and let it sign in no more
    Disable(user_switch::Args),
    /// Let a disabled account sign in again
    Enable(user_switch::Args),
}

#[derive(Subcommand)]
enum KeyCommand {
    /// List the keys that access tokens are signed with
    List,
    /// Publish the next signing key now; it signs two hours later, when every verifier has it
    Rotate,
    /// Make a signing key worthless with every token that it signed, on every node within a second
    Revoke(key_rotate::Revoke),
    /// Print a new master key, one line to keep in a file that only the service can read
    GenerateMaster,
}

#[derive(Subcommand)]
enum MailCommand {
    /// List the letters that wait, and those that were given up
    List,
    /// Try a letter again that was given up, or all of them
    Retry(mail::RetryArgs),
}

/// Does what the command line says.
///
/// # Errors
/// When that fails, or when the configuration is not in order.
pub async fn run(cli: Cli) -> Result<(), Error> {
    let options = &cli.options;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(options).await,
        Command::Edge(args) => Box::pin(edge::run(options, args)).await,
        Command::Migrate => migrate::run(options).await,
        Command::AcceptRestore => accept_restore::run(options).await,
        Command::CheckConfig(args) => check_config::run(options, &args),
        Command::User(UserCommand::Create(args)) => user_create::run(options, args).await,
        Command::User(UserCommand::Disable(args)) => user_switch::disable(options, &args).await,
        Command::User(UserCommand::Enable(args)) => user_switch::enable(options, &args).await,
        Command::Key(KeyCommand::List) => key_list::run(options).await,
        Command::Mail(MailCommand::List) => Box::pin(mail::list(options)).await,
        Command::Mail(MailCommand::Retry(args)) => Box::pin(mail::retry(options, &args)).await,
        Command::Key(KeyCommand::Rotate) => key_rotate::rotate(options).await,
        Command::Key(KeyCommand::Revoke(args)) => key_rotate::revoke(options, &args).await,
        Command::Backend(BackendCommand::Create(args)) => backend::create(options, args).await,
        Command::Backend(BackendCommand::List) => backend::list(options).await,
        Command::Backend(BackendCommand::Revoke(args)) => backend::revoke(options, &args).await,
        Command::Key(KeyCommand::GenerateMaster) => key_generate_master::run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_and_flags_stand_before_or_after_a_command() {
        assert!(Cli::try_parse_from(["countersign"]).unwrap().command.is_none());
        for line in
            [["countersign", "--listen", "127.0.0.1:0", "serve"], ["countersign", "serve", "--listen", "127.0.0.1:0"]]
        {
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(matches!(cli.command, Some(Command::Serve)));
            assert_eq!(cli.options.sources([]).flags.listen.as_deref(), Some("127.0.0.1:0"));
        }
    }

    #[test]
    fn a_password_is_not_taken_from_the_command_line() {
        let line = [
            "countersign",
            "user",
            "create",
            "--email",
            "ada@example.com",
            "--password",
            "correct horse battery staple",
        ];
        assert!(Cli::try_parse_from(line).is_err());
    }
}
