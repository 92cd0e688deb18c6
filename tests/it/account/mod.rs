//! What people do with their own accounts.

mod change_email;
mod change_password;
mod code_races;
mod deletion;
mod devices;
mod known_devices;
mod letter_limits;
mod profile;
mod reauthenticate;
mod reset_password;
mod secrecy;
mod sessions;
mod step_up;
mod verify_email;
