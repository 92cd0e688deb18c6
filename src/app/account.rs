//! What is known of a person, for themselves.

use super::{App, Caller, Error};
use crate::domain::User;

impl App {
    /// Who the caller is, as the database has it now.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`](super::Rejection::SessionEnded).
    pub async fn account(&self, caller: &Caller) -> Result<User, Error> {
        let (_, user) = self.present(caller, self.0.clock.now()).await?;
        Ok(user)
    }
}
