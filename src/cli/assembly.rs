//! From a configuration to a running [`App`]: the one place that knows what is built from what.

use std::sync::Arc;

use super::{Error, error::Context};
use crate::{
    app::{App, Parts},
    clock::{Clock, SystemClock},
    config::{self, Config},
    crypto::Passwords,
    entropy::{Entropy, OsEntropy},
    mail::{ConsoleMailer, Mailer, NoMailer, SmtpMailer, Transport},
    store::Store,
};

/// The use cases, and the database to close when they are done.
pub(super) struct Assembly {
    /// The use cases.
    pub(super) app: App,
    /// Their database.
    pub(super) store: Store,
}

impl Assembly {
    /// Builds everything that serves no wire.
    pub(super) async fn start(config: &Config) -> Result<Self, Error> {
        // On the heap: the futures of the database are large, and every command would carry them.
        Box::pin(Self::build(config)).await
    }

    async fn build(config: &Config) -> Result<Self, Error> {
        let (entropy, clock): (Arc<dyn Entropy>, Arc<dyn Clock>) = (Arc::new(OsEntropy), Arc::new(SystemClock));
        let master_keys = config::prepare_data_dir(config, entropy.as_ref()).context("preparing the data directory")?;
        let store = Store::connect(&config.database).await.context("opening the database")?;
        bring_up_to_date(config, &store).await?;
        let metrics = Arc::default();
        let passwords = Passwords::start(config.hashing, &entropy, &clock, Arc::clone(&metrics));
        let parts = Parts {
            store: store.clone(),
            passwords: passwords.context("starting the threads that hash")?,
            master_keys,
            mailer: mailer(&config.mail.transport)?,
            templates: config.mail.templates.clone(),
            clock,
            entropy,
            policy: config.policy.clone(),
            metrics,
        };
        let app = Box::pin(App::start(parts)).await.context("loading the signing keys")?;
        Ok(Self { app, store })
    }

    /// Gives the database back.
    pub(super) async fn stop(self) -> Result<(), Error> {
        self.store.close().await.context("closing the database")
    }
}

/// The database alone, with its folder.
pub(super) async fn open_store(config: &Config) -> Result<Store, Error> {
    config::prepare_data_dir(config, &OsEntropy).context("preparing the data directory")?;
    Store::connect(&config.database).await.context("opening the database")
}

/// Migrates, or refuses to run on a schema that is not ours.
async fn bring_up_to_date(config: &Config, store: &Store) -> Result<(), Error> {
    if config.migrate {
        for name in store.migrate().await.context("migrating the database")? {
            tracing::info!(migration = name, "migrated");
        }
        return Ok(());
    }
    store.require_current_schema().await.context("starting")
}

fn mailer(transport: &Transport) -> Result<Arc<dyn Mailer>, Error> {
    Ok(match transport {
        Transport::None => Arc::new(NoMailer),
        Transport::Console => Arc::new(ConsoleMailer),
        Transport::Smtp(settings) => Arc::new(SmtpMailer::new((**settings).clone()).context("setting up mail")?),
    })
}
