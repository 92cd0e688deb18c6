//! What people do with their own accounts.

mod reauthenticate;
mod sessions;
