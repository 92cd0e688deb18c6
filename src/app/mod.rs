//! Ring 2: what the service can do, one use case a file, named by its verb.

mod account;
mod backends;
mod caller;
mod change_email;
mod change_password;
mod chores;
mod codes;
mod create_user;
mod delete_account;
mod deliver_mail;
mod disable_user;
mod edge;
mod errands;
mod error;
mod follow;
mod keys;
mod log_out;
mod login;
mod policy;
mod post;
mod profiles;
mod readings;
mod reauthenticate;
mod refresh;
mod reset_password;
mod restored;
mod rotate_keys;
mod sessions;
mod sign_up;
mod signed_in;
mod told;
mod verifier;
mod verify_email;
mod verify_token;
mod watch;
mod who_am_i;

use std::{
    fmt,
    sync::{Arc, RwLock},
};

pub use account::Account;
pub use backends::Backend;
pub use caller::{Caller, FreshCaller, Leaver};
pub use change_email::OwnCodeProof;
pub use change_password::ChangePassword;
pub use codes::CodeProof;
pub use create_user::{CreateUser, UserCreation};
pub use edge::Edge;
pub use error::{Error, Fault, Rejection};
pub use login::Login;
pub use policy::{InvalidOnStale, OnStale, Policy, Staleness};
pub use reset_password::ResetPassword;
pub use restored::Sequel;
pub use rotate_keys::PUBLISHED_BEFORE_SIGNING;
pub use sign_up::SignUp;
pub use signed_in::{SignedIn, Tokens};
pub use verifier::Verifier;
pub use verify_token::{VerifiedToken, VerifyToken};
pub use watch::{Watch, WatchEvent};
pub use who_am_i::Profile;

use tokio::sync::{Mutex, Notify};

use crate::{
    clock::Clock,
    crypto::{DeviceTokens, MasterKeys, OneTimeCodes, Passwords, RefreshTokens},
    domain::{AuditEvent, AuditId, AuditKind, Device, FeedCursor, PasswordPolicy, SealedKey, Timestamp, UserId},
    entropy::Entropy,
    mail::{Mailer, Templates},
    metrics::Metrics,
    store::Store,
};
use profiles::Profiles;
use verifier::Authority;

/// What the service is made of.
pub struct Parts {
    /// The database, its schema up to date.
    pub store: Store,
    /// The threads that hash.
    pub passwords: Passwords,
    /// What lies outside the database.
    pub master_keys: MasterKeys,
    /// The way mail leaves.
    pub mailer: Arc<dyn Mailer>,
    /// The words of the letters.
    pub templates: Templates,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The operator's rules.
    pub policy: Policy,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Every use case; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    passwords: Passwords,
    master_keys: MasterKeys,
    verifier: Verifier,
    refresh_tokens: RefreshTokens,
    codes: OneTimeCodes,
    devices: DeviceTokens,
    /// Where the feed was left; held while it is read.
    cursor: Mutex<FeedCursor>,
    /// That this node has revoked something.
    revoked: Notify,
    profiles: Profiles,
    keys: RwLock<Arc<[SealedKey]>>,
    mailer: Arc<dyn Mailer>,
    templates: Templates,
    /// A letter was written on this node. Only a hint: what it missed is found by looking.
    mail_hint: Notify,
    delivering: Mutex<()>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    policy: Policy,
    metrics: Arc<Metrics>,
}

impl App {
    /// Puts the parts together: opens the signing keys, making the first, and learns what was ended lately.
    ///
    /// # Errors
    /// When the database fails, or a key does not open under the master keys.
    pub async fn start(parts: Parts) -> Result<Self, Error> {
        let Parts { store, passwords, master_keys, mailer, templates, clock, entropy, policy, metrics } = parts;
        let keys = keys::load(&store, &master_keys, clock.now(), &*entropy).await?;
        let authority = Authority::Database(Box::new(store.clone()));
        let app = Self(Arc::new(Inner {
            verifier: Verifier::new(
                authority,
                policy.staleness,
                Arc::clone(&clock),
                Arc::clone(&entropy),
                Arc::clone(&metrics),
            ),
            refresh_tokens: RefreshTokens::new(master_keys.clone()),
            codes: OneTimeCodes::new(master_keys.clone()),
            devices: DeviceTokens::new(master_keys.clone()),
            master_keys,
            cursor: Mutex::default(),
            revoked: Notify::new(),
            profiles: Profiles::default(),
            store,
            passwords,
            keys: RwLock::default(),
            mailer,
            templates,
            mail_hint: Notify::new(),
            delivering: Mutex::new(()),
            clock,
            entropy,
            policy,
            metrics,
        }));
        app.open_keys(keys)?;
        // **I10**: nothing is served before everything is known.
        app.reload_backends().await?;
        app.read_all(&mut *app.0.cursor.lock().await).await?;
        Ok(app)
    }

    /// What decides whether tokens count.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// What a new password must be.
    #[must_use]
    pub fn password_policy(&self) -> PasswordPolicy {
        self.0.policy.passwords
    }

    fn event(&self, kind: AuditKind, user: UserId, at: Timestamp, by: Device) -> AuditEvent {
        AuditEvent { id: AuditId::new(at, self.0.entropy.bytes()), at, kind, user, session: None, by }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("store", &self.0.store).field("policy", &self.0.policy).finish_non_exhaustive()
    }
}
