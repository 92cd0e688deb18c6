//! `countersign user create`: how the first account comes to be, there being no default one.

use std::io::{self, BufRead, BufReader, Read};

use secrecy::{ExposeSecret, SecretString};

use super::{Error, Options, assembly::Assembly, error::Context, output};
use crate::{
    app::{CreateUser, UserCreation},
    domain::{DisplayName, Email, NewPassword, Role},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The address to sign in with
    #[arg(long)]
    email: Email,
    /// What the person wants to be called
    #[arg(long, default_value = "", hide_default_value = true)]
    display_name: DisplayName,
    /// A role that other services understand; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// Leave the address unconfirmed
    #[arg(long)]
    unverified: bool,
    /// Read the password from standard input, up to the end of the line, instead of asking on the terminal
    #[arg(long)]
    password_stdin: bool,
}

/// More than any password may have; what is longer is refused for its length.
const MAX_INPUT: u64 = 4_096;

pub(super) async fn run(options: &Options, args: Args) -> Result<(), Error> {
    let config = options.load()?;
    let typed = if args.password_stdin { read_line(io::stdin().lock()) } else { ask() };
    let typed = typed.context("reading the password")?;
    let password = NewPassword::parse(typed.expose_secret(), config.policy.passwords);
    let password = password.map_err(|e| Error::Usage(format!("the password {e}")))?;

    let assembly = Assembly::start(&config).await?;
    let email = args.email.as_str().to_owned();
    let command = CreateUser {
        email: args.email,
        password,
        display_name: args.display_name,
        roles: args.roles,
        verified: !args.unverified,
    };
    let creation = assembly.app.create_user(command).await.context("creating the account")?;
    assembly.stop().await?;
    match creation {
        UserCreation::Created(id) => output::print(&format!("created {email}, id {id}\n")),
        UserCreation::AddressTaken => Err(Error::Refused(format!("somebody has the address {email} already"))),
    }
}

/// Asks twice, since nobody sees what is typed.
fn ask() -> io::Result<SecretString> {
    let ask = |prompt| rpassword::prompt_password(prompt).map(SecretString::from);
    let no_terminal = |e| io::Error::other(format!("{e}; without a terminal use --password-stdin"));
    let first = ask("Password: ").map_err(no_terminal)?;
    let second = ask("Once more: ")?;
    if first.expose_secret() == second.expose_secret() {
        Ok(first)
    } else {
        Err(io::Error::other("the two do not match"))
    }
}

/// One line, without its end.
fn read_line(input: impl Read) -> io::Result<SecretString> {
    let mut line = String::new();
    BufReader::new(input.take(MAX_INPUT)).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_loses_its_end_and_nothing_else() {
        for (input, password) in
            [(" pass word \n", " pass word "), ("pass\r\nmore\n", "pass"), ("pass", "pass"), ("", "")]
        {
            assert_eq!(read_line(input.as_bytes()).unwrap().expose_secret(), password, "{input:?}");
        }
    }
}
