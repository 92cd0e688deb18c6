//! A sign-in by what none can do without: bare tonic, one question to the database past the service, one hash on a thread of its
//! own, one statement that writes what a sign-in leaves, and one signature.

use std::{
    collections::HashMap,
    hint,
    str::FromStr as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::UNIX_EPOCH,
};

use aws_lc_rs::{rand::SystemRandom, signature::Ed25519KeyPair};
use countersign::proto::{LoginRequest, LoginResponse};
use sqlx::{
    Connection as _, PgConnection, Row as _, SqliteConnection, query, query_as,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex as Turn, oneshot};
use uuid::Uuid;

use super::engines::argon2_rust;

/// The variable of the environment that says where the database is.
pub const DATABASE: &str = "BENCH_PEER_DATABASE";
/// The thread that hashes, like the service's.
pub const HASHES: &str = "hash-0";

const PEOPLE: &str = "SELECT u.email_key, u.id, d.device_id FROM users u JOIN devices d ON d.user_id = u.id";
const WHO: &str = "SELECT * FROM users WHERE email_key = $1";
/// The numbers are those of the session, the person, the salt, the time, the device so far, and the person's epoch.
const ON_SQLITE: &str = "INSERT INTO sign_ins VALUES ($2, $6, $1, $4, $5, 1000000, \
    $1, $2, $3, 0, $4, $4, $4, $4, NULL, NULL, '127.0.0.1', 'bench', \
    $1, $4, 'signed_in', $2, $1, '127.0.0.1', 'bench')";
const ON_POSTGRES: &str = "WITH held AS (SELECT id FROM users WHERE id = $2 AND epoch = $6 FOR UPDATE), \
    renamed AS (UPDATE devices SET device_id = $1, last_seen_at = $4 WHERE device_id = $5 AND user_id IN (SELECT id FROM held)), \
    recorded AS (INSERT INTO audit_events VALUES ($1, $4, 'signed_in', $2, $1, '127.0.0.1', 'bench')) \
    INSERT INTO sessions VALUES ($1, $2, $3, 0, $4, $4, $4, $4, NULL, NULL, '127.0.0.1', 'bench')";

/// What is signed of an access token.
const TOKEN_BYTES: usize = 400;

/// Who waits for a hash. It is always of the same password, as everybody's is here.
type Job = oneshot::Sender<()>;

/// What a sign-in asks of the database past the service: one question, and one statement that writes what it leaves.
pub struct Statements {
    database: Database,
    /// By address: who it is, and which device they last sat at.
    people: Mutex<HashMap<String, (Uuid, Uuid)>>,
    /// The second half of the next number that is given out.
    next: AtomicU64,
}

/// Signs in whoever there was when it was opened.
pub struct SignIns {
    statements: Statements,
    jobs: mpsc::Sender<Job>,
    key: Ed25519KeyPair,
    answer: LoginResponse,
}

/// One connection that reads, and one that writes.
enum Database {
    Sqlite([Turn<SqliteConnection>; 2]),
    Postgres([Turn<PgConnection>; 2]),
}

impl Statements {
    /// With the durability of the service.
    pub async fn open(url: &str) -> Self {
        let (database, people): (_, Vec<(String, Uuid, Uuid)>) = if url.starts_with("sqlite") {
            let options = SqliteConnectOptions::from_str(url).unwrap().synchronous(SqliteSynchronous::Full);
            let open = || SqliteConnection::connect_with(&options);
            let (mut read, write) = (open().await.unwrap(), open().await.unwrap());
            let people = query_as(PEOPLE).fetch_all(&mut read).await.unwrap();
            (Database::Sqlite([read, write].map(Turn::new)), people)
        } else {
            let (mut read, write) =
                (PgConnection::connect(url).await.unwrap(), PgConnection::connect(url).await.unwrap());
            let people = query_as(PEOPLE).fetch_all(&mut read).await.unwrap();
            (Database::Postgres([read, write].map(Turn::new)), people)
        };
        let people = people.into_iter().map(|(email, person, device)| (email, (person, device))).collect();
        // Behind those of whoever was opened before.
        let next = UNIX_EPOCH.elapsed().unwrap().as_secs() << 32;
        Self { database, people: Mutex::new(people), next: next.into() }
    }

    /// Whom it signs in.
    pub fn addresses(&self) -> Vec<String> {
        self.people.lock().unwrap().keys().cloned().collect()
    }

    /// In which epoch they are.
    pub async fn ask(&self, email: &str) -> i64 {
        macro_rules! ask {
            ($connection:expr) => {
                query(WHO).bind(email).fetch_one(&mut *$connection.lock().await).await.unwrap().get("epoch")
            };
        }
        match &self.database {
            Database::Sqlite([read, _]) => ask!(read),
            Database::Postgres([read, _]) => ask!(read),
        }
    }

    /// Writes down that they signed in.
    pub async fn write(&self, email: &str, epoch: i64) {
        // In the order of time, as the service's own are.
        let id = Uuid::from_u64_pair(0x0300_0000_0000_7000, self.next.fetch_add(1, Ordering::Relaxed));
        let (salt, now) = ([7_u8; 32], 1_800_000_000_000_i64);
        let (person, device) = {
            let mut people = self.people.lock().unwrap();
            let (person, device) = people.get_mut(email).unwrap();
            (*person, std::mem::replace(device, id))
        };
        macro_rules! write_with {
            ($text:expr, $connection:expr) => {{
                let write = query($text).bind(id).bind(person).bind(&salt[..]).bind(now).bind(device).bind(epoch);
                write.execute(&mut *$connection.lock().await).await.unwrap().rows_affected()
            }};
        }
        let written = match &self.database {
            Database::Sqlite([_, write]) => write_with!(ON_SQLITE, write),
            Database::Postgres([_, write]) => write_with!(ON_POSTGRES, write),
        };
        // Of what is added to a view SQLite counts nothing.
        assert!(written == 1 || matches!(self.database, Database::Sqlite(_)));
    }
}

impl SignIns {
    pub async fn open(url: &str, answer: LoginResponse) -> Arc<Self> {
        let statements = Statements::open(url).await;
        let (jobs, queue) = mpsc::channel::<Job>();
        let hashing = move || {
            let mut hash = argon2_rust();
            for done in queue {
                hash();
                let _ = done.send(());
            }
        };
        thread::Builder::new().name(HASHES.to_owned()).spawn(hashing).unwrap();
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
        Arc::new(Self { statements, jobs, key, answer })
    }

    pub async fn sign_in(&self, request: LoginRequest) -> LoginResponse {
        let epoch = self.statements.ask(&request.email).await;
        let (done, is_done) = oneshot::channel();
        self.jobs.send(done).unwrap();
        is_done.await.unwrap();
        self.statements.write(&request.email, epoch).await;
        hint::black_box(self.key.sign(&[0; TOKEN_BYTES]));
        self.answer.clone()
    }
}
