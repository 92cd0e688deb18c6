//! Making an account for somebody: what an operator does.

use super::{App, Error};
use crate::{
    domain::{AuditKind, Device, DisplayName, Email, Locale, NewPassword, Role, User, UserEpoch, UserId},
    store::Added,
};

/// What an account is made of.
#[derive(Debug)]
pub struct CreateUser {
    /// The person's address.
    pub email: Email,
    /// What they will sign in with.
    pub password: NewPassword,
    /// What they are called.
    pub display_name: DisplayName,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Whether the address is known to be theirs.
    pub verified: bool,
}

/// What making an account came to. An operator may know what a stranger may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCreation {
    /// The account is there.
    Created(UserId),
    /// The address has one already.
    AddressTaken,
}

impl App {
    /// Makes an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_user(&self, command: CreateUser) -> Result<UserCreation, Error> {
        let now = self.0.clock.now();
        let CreateUser { email, password, display_name, mut roles, verified } = command;
        roles.sort();
        roles.dedup();
        let user = User {
            id: UserId::new(now, self.0.entropy.bytes()),
            email,
            email_verified_at: verified.then_some(now),
            display_name,
            locale: Locale::default(),
            password_hash: Some(self.0.passwords.hash(password).await?),
            roles,
            epoch: UserEpoch::default(),
            disabled_at: None,
            created_at: now,
        };
        let event = self.event(AuditKind::UserCreated, user.id, now, Device::default());
        Ok(match self.0.store.add_user(&user, &event, None).await? {
            Added::New => UserCreation::Created(user.id),
            Added::Taken => UserCreation::AddressTaken,
        })
    }
}
