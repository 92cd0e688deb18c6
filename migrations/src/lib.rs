//! The schema's history: forward only, frozen once released, one definition for SQLite and PostgreSQL. It imports nothing of
//! the service, so that no later change there can rewrite what a migration did. `README.md` has the rules.

mod m0001_users;
mod m0002_sessions;
mod m0003_signing_keys;
mod m0004_audit_events;
mod m0005_outbox;
mod m0006_user_locale;
mod m0007_codes;
mod m0008_devices;
mod m0009_deletion;
mod m0010_revocation_feed;
mod m0011_backends;
mod m0012_signing_key_life;
mod m0013_letter_limits;
mod m0014_edges;
mod m0015_open_sessions;
mod m0016_ends_without_index;
mod m0017_open_sessions_of_one;
mod m0018_sign_ins;

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTrait, migrator::Migration};

/// Every migration, in order.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_signing_keys::Migration),
            Box::new(m0004_audit_events::Migration),
            Box::new(m0005_outbox::Migration),
            Box::new(m0006_user_locale::Migration),
            Box::new(m0007_codes::Migration),
            Box::new(m0008_devices::Migration),
            Box::new(m0009_deletion::Migration),
            Box::new(m0010_revocation_feed::Migration),
            Box::new(m0011_backends::Migration),
            Box::new(m0012_signing_key_life::Migration),
            Box::new(m0013_letter_limits::Migration),
            Box::new(m0014_edges::Migration),
            Box::new(m0015_open_sessions::Migration),
            Box::new(m0016_ends_without_index::Migration),
            Box::new(m0017_open_sessions_of_one::Migration),
            Box::new(m0018_sign_ins::Migration),
        ]
    }
}
