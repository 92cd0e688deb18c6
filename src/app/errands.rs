//! What the calls that must not look an address up leave to be done.

use super::{App, Error};
use crate::{domain::Timestamp, mail::Errand, store::Leased};

impl App {
    /// Does an errand, once: what it leads to is written in the transaction that deletes it (`store::outbox::finish`), which
    /// writes nothing when somebody else holds it by now.
    pub(super) async fn do_errand(&self, leased: &Leased, errand: Errand, _now: Timestamp) -> Result<(), Error> {
        match errand {
            // There are no codes yet that these could lead to.
            Errand::Verification { .. } | Errand::PasswordReset { .. } => Ok(self.0.store.drop_errand(leased).await?),
        }
    }
}
