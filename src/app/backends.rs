//! Other services that may ask about tokens: let in and shut out by an operator, known by heart on every node.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{App, Error, Rejection, Verifier};
use crate::{
    crypto::{is_backend_key, new_backend_key},
    domain::{Audience, AuditId, BackendId, BackendKey, BackendName, RegisteredBackend},
};

/// A service that has proved which one it is. To hold one is to be allowed to ask about tokens.
#[derive(Debug, Clone)]
pub struct Backend {
    registered: Arc<RegisteredBackend>,
}

impl Backend {
    /// What the operator calls it.
    #[must_use]
    pub fn name(&self) -> &BackendName {
        &self.registered.name
    }

    /// Whether it may know what an edge has to.
    #[must_use]
    pub fn is_edge(&self) -> bool {
        self.registered.is_edge
    }

    /// Whether it may see tokens that are for `audience`.
    #[must_use]
    pub fn may_see(&self, audience: &str) -> bool {
        self.registered.audiences.iter().any(|allowed| allowed.as_str() == audience)
    }
}

/// Every one, also those that are shut out.
#[derive(Default)]
pub(super) struct Backends(RwLock<HashMap<BackendId, Arc<RegisteredBackend>>>);

impl Backends {
    pub(super) fn replace(&self, all: Vec<RegisteredBackend>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            all.into_iter().map(|backend| (backend.id, Arc::new(backend))).collect();
    }

    /// One that is let in now.
    fn get(&self, id: BackendId) -> Option<Arc<RegisteredBackend>> {
        self.find(id).filter(|backend| backend.revoked_at.is_none())
    }

    fn find(&self, id: BackendId) -> Option<Arc<RegisteredBackend>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn all(&self) -> Vec<Arc<RegisteredBackend>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .filter(|backend| backend.revoked_at.is_none())
            .cloned()
            .collect()
    }
}

impl Verifier {
    /// Finds out which service asks, without the database.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a key; [`Rejection::TokenInvalid`]; [`super::Fault::Stale`] as long as nobody is
    /// known.
    pub fn authenticate_backend(&self, key: Option<&BackendKey>) -> Result<Backend, Error> {
        self.trusted()?;
        let key = key.ok_or(Rejection::NotSignedIn)?;
        let parts = key.parts().map_err(|_| Rejection::TokenInvalid)?;
        let registered = self.0.backends.get(parts.id).ok_or(Rejection::TokenInvalid)?;
        if is_backend_key(&parts, &registered.digest) {
            Ok(Backend { registered })
        } else {
            Err(Rejection::TokenInvalid.into())
        }
    }

    /// Whether a service that was let in has not been shut out since.
    pub(super) fn require_let_in(&self, backend: &Backend) -> Result<(), Error> {
        self.0.backends.get(backend.registered.id).map(drop).ok_or_else(|| Rejection::TokenInvalid.into())
    }

    /// Every service that is let in: for edges alone.
    pub(super) fn backends(&self) -> Vec<Arc<RegisteredBackend>> {
        self.0.backends.all()
    }
}

impl App {
    /// Lets a service in, and gives its key, which is nowhere else; `None` when the name was given before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_backend(
        &self,
        name: BackendName,
        mut audiences: Vec<Audience>,
        is_edge: bool,
    ) -> Result<Option<BackendKey>, Error> {
        let now = self.0.clock.now();
        audiences.sort();
        audiences.dedup();
        let id = BackendId::new(now, self.0.entropy.bytes());
        let (key, digest) = new_backend_key(id, &*self.0.entropy);
        let backend = RegisteredBackend { id, name, digest, audiences, is_edge, created_at: now, revoked_at: None };
        let is_new = self.0.store.add_backend(&backend, AuditId::new(now, self.0.entropy.bytes())).await?;
        self.0.revoked.notify_one();
        Ok(is_new.then_some(key))
    }

    /// Every service that was ever let in, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backends(&self) -> Result<Vec<RegisteredBackend>, Error> {
        Ok(self.0.store.backends().await?)
    }

    /// Shuts a service out, on every node within a second; `false` when there is none of that name, or it is out already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_backend(&self, name: &BackendName) -> Result<bool, Error> {
        let now = self.0.clock.now();
        let revoked = self.0.store.revoke_backend(name, now, AuditId::new(now, self.0.entropy.bytes())).await?;
        self.reload_backends().await?;
        self.0.revoked.notify_one();
        Ok(revoked)
    }

    /// Shuts out in the database, which was set back, whom this node knows to be shut out.
    pub(super) async fn shut_backends_out_again(&self) -> Result<(), Error> {
        let is_out = |id| self.0.verifier.0.backends.find(id).is_some_and(|backend| backend.revoked_at.is_some());
        for stored in self.0.store.backends().await? {
            if stored.revoked_at.is_none() && is_out(stored.id) {
                let now = self.0.clock.now();
                self.0.store.revoke_backend(&stored.name, now, AuditId::new(now, self.0.entropy.bytes())).await?;
                tracing::warn!(name = %stored.name, "a service was shut out again");
            }
        }
        Ok(())
    }

    /// Learns who is let in.
    pub(super) async fn reload_backends(&self) -> Result<(), Error> {
        self.0.verifier.0.backends.replace(self.0.store.backends().await?);
        Ok(())
    }
}
