//! What people do with their own accounts.

mod code_races;
mod reauthenticate;
mod reset_password;
mod secrecy;
mod sessions;
mod verify_email;
