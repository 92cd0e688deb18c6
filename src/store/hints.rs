//! Hints that there is news in the feed: they hurry its readers, and nothing depends on them.

use sea_orm::{
    ConnectionTrait, DbBackend,
    sqlx::{Error, postgres::PgListener, query_scalar},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Duration, timeout};

use super::{Store, StoreError};

/// One name for each schema, since PostgreSQL's channels are those of a whole database.
const HINT: &str = "SELECT pg_notify('cs_' || md5(current_schema()), '')";
const CHANNEL: &str = "SELECT 'cs_' || md5(current_schema())";
/// A connection that was silent for so long may be dead without anybody knowing.
const SILENCE: Duration = Duration::from_mins(1);

/// A connection on which hints arrive. PostgreSQL alone has them, and only where nothing pools in between.
pub struct Hints(PgListener);

impl Store {
    /// Tells the other nodes to look now. In a transaction of its own: inside those that revoke it would take a lock that
    /// is one for the whole database, and make them wait for each other.
    ///
    /// # Errors
    /// When the database fails; they look soon anyway.
    pub async fn hint(&self) -> Result<(), StoreError> {
        if self.write.get_database_backend() == DbBackend::Postgres {
            self.write.execute_unprepared(HINT).await?;
        }
        Ok(())
    }

    /// Listens for hints; `None` where there are none.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn listen(&self) -> Result<Option<Hints>, StoreError> {
        let Some(url) = &self.listen_url else { return Ok(None) };
        Ok(Some(Hints(
            timeout(self.patience, listen(url))
                .await
                .unwrap_or(Err(Error::PoolTimedOut))
                .map_err(StoreError::from_sqlx)?,
        )))
    }
}

impl Hints {
    /// Waits for the next one. Also returns when some may have been lost.
    ///
    /// # Errors
    /// When the connection is gone or has been silent for too long: listen anew.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        // What the driver calls "no notification" is a connection that it had to make again.
        let heard = timeout(SILENCE, self.0.try_recv()).await.unwrap_or(Err(Error::PoolTimedOut));
        heard.map(drop).map_err(StoreError::from_sqlx)
    }
}

async fn listen(url: &SecretString) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect(url.expose_secret()).await?;
    let channel: String = query_scalar(CHANNEL).fetch_one(&mut listener).await?;
    listener.listen(&channel).await?;
    Ok(listener)
}
