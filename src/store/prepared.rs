//! Statements of the hot paths, whose text is written once, not for each call.

use std::{fmt::Write as _, sync::OnceLock};

use sea_orm::{
    ActiveModelTrait, DbBackend, EntityTrait, IdenStatic as _, Iterable as _, QueryTrait as _, Statement, Value, Values,
};

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
        self.with(backend, values(&row), || R::Entity::insert(row).build(backend))
    }

    /// These statements in one exchange, where none has to see what another did; what is found is what the last one finds.
    pub(super) fn together(&self, backend: DbBackend, statements: impl Into<Vec<Statement>>) -> Statement {
        let statements = statements.into();
        let values: Vec<Value> =
            statements.iter().flat_map(|one| one.values.iter().flat_map(|values| &values.0)).cloned().collect();
        let all = values.clone();
        self.with(backend, values, || Statement {
            sql: joined(backend, &statements),
            values: Some(Values(all)),
            db_backend: backend,
        })
    }
}

/// What a row of which everything is set is made of, in the order of its columns.
pub(super) fn values<R: ActiveModelTrait>(row: &R) -> Vec<Value> {
    <R::Entity as EntityTrait>::Column::iter().filter_map(|column| row.get(column).into_value()).collect()
}

/// The text that adds a row for each one of `source`, of values of which the first is `$first`.
pub(super) fn insert_for_each<E: EntityTrait>(first: usize, source: &str) -> String {
    let columns: Vec<_> = E::Column::iter().map(|column| column.as_str().to_owned()).collect();
    let values: Vec<_> = (first..).take(columns.len()).map(|number| format!("${number}")).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    format!("INSERT INTO {} ({columns}) SELECT {values} FROM {source}", E::default().as_str())
}

/// SQLite does one after the other; PostgreSQL all but the last as part of that, and numbers the values of all.
fn joined(backend: DbBackend, statements: &[Statement]) -> String {
    if backend != DbBackend::Postgres {
        return statements.iter().map(|one| one.sql.as_str()).collect::<Vec<_>>().join("; ");
    }
    let mut texts = Vec::new();
    let mut before = 0;
    for one in statements {
        texts.push(renumbered(&one.sql, before));
        before += one.values.as_ref().map_or(0, |values| values.0.len());
    }
    let last = texts.pop().unwrap_or_default();
    let first: Vec<_> = texts.iter().enumerate().map(|(number, text)| format!("s{number} AS ({text})")).collect();
    format!("WITH {} {last}", first.join(", "))
}

/// The text with each `$n` counted on from `before`.
fn renumbered(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        // Ours have nothing else behind a `$`.
        let number = number.parse::<usize>().unwrap_or_default() + before;
        let _ = write!(text, "${number}{rest}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str, values: &[i64]) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, sql, values.iter().map(|&value| value.into()))
    }

    #[test]
    fn each_value_stays_with_its_statement() {
        static BOTH: [Prepared; 2] = [const { Prepared::new() }; 2];
        let statements = || {
            [
                statement("UPDATE a SET b = $1, c = $2", &[1, 2]),
                statement("DELETE FROM d WHERE e = $1 RETURNING f", &[3]),
            ]
        };
        let on_postgres = BOTH[0].together(DbBackend::Postgres, statements());
        assert_eq!(on_postgres.sql, "WITH s0 AS (UPDATE a SET b = $1, c = $2) DELETE FROM d WHERE e = $3 RETURNING f");
        assert_eq!(on_postgres.values, statement("", &[1, 2, 3]).values);
        let on_sqlite = BOTH[1].together(
            DbBackend::Sqlite,
            [statement("DELETE FROM a", &[]), statement("DELETE FROM b WHERE c = ?", &[1])],
        );
        assert_eq!(on_sqlite.sql, "DELETE FROM a; DELETE FROM b WHERE c = ?");
    }
}
