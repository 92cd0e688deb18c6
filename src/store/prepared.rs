//! Statements of the hot paths, whose text is written once, not for each call.

use std::sync::OnceLock;

use sea_orm::{ActiveModelTrait, DbBackend, EntityTrait, Iterable as _, QueryTrait as _, Statement, Value, Values};

/// One statement, in the words of each database.
pub(super) struct Prepared {
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

impl Prepared {
    pub(super) const fn new() -> Self {
        Self { sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// The statement with these values, which are in the order of those that `write` puts into it.
    pub(super) fn with(
        &self,
        backend: DbBackend,
        values: impl Into<Vec<Value>>,
        write: impl FnOnce() -> Statement,
    ) -> Statement {
        let text = match backend {
            DbBackend::Postgres => &self.postgres,
            _ => &self.sqlite,
        };
        let values = values.into();
        let sql = text.get_or_init(|| {
            let written = write();
            debug_assert_eq!(written.values.as_ref().map(|values| &values.0), Some(&values), "{}", written.sql);
            written.sql
        });
        Statement { sql: sql.clone(), values: Some(Values(values)), db_backend: backend }
    }

    /// The statement that adds this row, of which everything is set.
    pub(super) fn insert<R: ActiveModelTrait>(&self, backend: DbBackend, row: R) -> Statement {
        let columns = <R::Entity as EntityTrait>::Column::iter();
        let values: Vec<Value> = columns.filter_map(|column| row.get(column).into_value()).collect();
        self.with(backend, values, || R::Entity::insert(row).build(backend))
    }
}
