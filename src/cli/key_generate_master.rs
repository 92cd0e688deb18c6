//! `countersign key generate-master`: makes the one secret that lies outside the database.

use secrecy::ExposeSecret;

use super::{Error, output};
use crate::{crypto::MasterKeys, entropy::OsEntropy};

pub(super) fn run() -> Result<(), Error> {
    let key = MasterKeys::generate(&OsEntropy);
    output::print(&format!("{}\n", key.expose_secret()))
}
