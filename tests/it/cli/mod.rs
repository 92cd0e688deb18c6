//! What an operator does and sees: commands, exit codes, files, signals and the log of the real binary.

mod accounts;
mod configuration;
mod data_dir;
mod logs;
mod mail;
mod signals;
