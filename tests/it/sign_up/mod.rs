//! Accounts come about once, nobody learns of another's, and passwords are taken as they were typed.

mod outpaced;
mod overload;
mod passwords;
mod races;
mod secrecy;
