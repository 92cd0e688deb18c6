//! The statements that a sign-in from a known device cannot do without, past the service.

use std::str::FromStr as _;

use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    query, query_as,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

use super::{
    load::{Outcome, all, timed},
    process::cpu_of,
};

/// One after the other, as a single thread that hashes lets them through.
const SIGN_INS: usize = 1_000;

const WHO: &str = "SELECT * FROM users WHERE email_key = $1";
const HOLD: &str = "SELECT epoch, disabled_at, delete_after FROM users WHERE id = $1";
const BEYOND: &str = "SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL \
                      ORDER BY authenticated_at DESC, id DESC LIMIT 1000000 OFFSET 99";
const SESSION: &str = "INSERT INTO sessions VALUES ($1, $2, $3, 0, $4, $4, $4, $4, NULL, NULL, '127.0.0.1', 'bench')";
const EVENT: &str = "INSERT INTO audit_events VALUES ($1, $2, 'signed_in', $3, $4, '127.0.0.1', 'bench')";
const DEVICE: &str = "UPDATE devices SET device_id = $1, last_seen_at = $2 WHERE device_id = $3 RETURNING user_id";

/// Signs in over and over whoever there is, with the durability of the service.
pub async fn statements_alone(url: &str) -> Outcome {
    if url.starts_with("sqlite") {
        let options = SqliteConnectOptions::from_str(url).unwrap().synchronous(SqliteSynchronous::Full);
        let pool = |most| SqlitePoolOptions::new().max_connections(most).connect_with(options.clone());
        let (read, write) = (pool(1).await.unwrap(), pool(1).await.unwrap());
        all(|| cpu_of("self"), std::iter::once(on_sqlite(read, write))).await
    } else {
        let pool = PgPoolOptions::new().connect(url).await.unwrap();
        all(|| cpu_of("self"), std::iter::once(on_postgres(pool))).await
    }
}

macro_rules! signing_in {
    ($read:expr, $write:expr, $begin:expr, $hold:expr) => {{
        const PEOPLE: &str = "SELECT u.id, u.email_key, d.device_id FROM users u JOIN devices d ON d.user_id = u.id";
        let mut people: Vec<(Uuid, String, Uuid)> = query_as(PEOPLE).fetch_all($read).await.unwrap();
        let (now, salt) = (1_800_000_000_000_i64, [7_u8; 32]);
        let mut latencies = Vec::new();
        for number in 0..SIGN_INS {
            // In the order of time, as the service's own are.
            let id = Uuid::from_u128((0x0200_0000_0000_7000_u128 << 64) + u128::try_from(number).unwrap());
            let among = number % people.len();
            let (person, key, device) = &mut people[among];
            let sign_in = async {
                query(WHO).bind(&*key).fetch_one($read).await.unwrap();
                let mut transaction = $write.begin_with($begin).await.unwrap();
                query($hold).bind(*person).fetch_one(&mut *transaction).await.unwrap();
                query(BEYOND).bind(*person).fetch_all(&mut *transaction).await.unwrap();
                let session = query(SESSION).bind(id).bind(*person).bind(&salt[..]).bind(now);
                session.execute(&mut *transaction).await.unwrap();
                let event = query(EVENT).bind(id).bind(now).bind(*person).bind(id);
                event.execute(&mut *transaction).await.unwrap();
                let seen = query(DEVICE).bind(id).bind(now).bind(*device);
                assert_eq!(seen.fetch_all(&mut *transaction).await.unwrap().len(), 1);
                transaction.commit().await.unwrap();
                *device = id;
            };
            latencies.push(timed(sign_in).await);
        }
        latencies
    }};
}

async fn on_sqlite(read: SqlitePool, write: SqlitePool) -> Vec<std::time::Duration> {
    signing_in!(&read, &write, "BEGIN IMMEDIATE", HOLD)
}

async fn on_postgres(pool: PgPool) -> Vec<std::time::Duration> {
    const HELD: &str = "SELECT epoch, disabled_at, delete_after FROM users WHERE id = $1 FOR UPDATE";
    signing_in!(&pool, &pool, "BEGIN", HELD)
}
