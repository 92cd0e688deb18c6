//! Random lives of accounts and sessions, held against a model that is short enough to be believed.

use std::time::Duration;

use countersign::proto::{LogoutRequest, Tokens, WhoAmIRequest};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::support::{
    Engine, TestApp,
    grpc::{Client, login, refresh, sign_up, summary, with_bearer},
};

const CASES: u32 = 120;
const STEPS: usize = 40;
const USERS: usize = 2;
const LEEWAY: i64 = 30_000;
const GRACE: i64 = 10_000;
const IDLE: i64 = 7 * 24 * 3_600_000;
const ABSOLUTE: i64 = 30 * 24 * 3_600_000;

#[derive(Debug, Clone)]
enum Step {
    SignUp(usize),
    Login(usize),
    /// With a token of a session, so many generations old.
    Refresh(prop::sample::Index, usize),
    WhoAmI(prop::sample::Index, usize),
    Logout(prop::sample::Index, bool),
    Disable(usize),
    Enable(usize),
    Advance(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let (user, session, age) =
        (0..USERS, any::<prop::sample::Index>(), prop_oneof![3 => 0..1_usize, 3 => 1..2_usize, 1 => 2..3_usize]);
    // Most of it around the edges: the grace window, an access token's life, a session's.
    let seconds = prop_oneof![
        2 => Just(1_u64),
        4 => Just(9),
        2 => Just(11),
        2 => Just(200),
        1 => Just(400),
        1 => Just(5 * 86_400),
        1 => Just(8 * 86_400),
    ];
    prop_oneof![
        1 => user.clone().prop_map(Step::SignUp),
        3 => user.clone().prop_map(Step::Login),
        12 => (session.clone(), age.clone()).prop_map(|(session, age)| Step::Refresh(session, age)),
        6 => (session.clone(), age).prop_map(|(session, age)| Step::WhoAmI(session, age)),
        2 => (session, any::<bool>()).prop_map(|(session, everywhere)| Step::Logout(session, everywhere)),
        1 => user.clone().prop_map(Step::Disable),
        1 => user.prop_map(Step::Enable),
        5 => seconds.prop_map(Step::Advance),
        1 => Just(Step::Restart),
    ]
}

#[derive(Default)]
struct Model {
    now: i64,
    /// Whether the account is there, and whether it is disabled.
    users: [(bool, bool); USERS],
    sessions: Vec<ModelSession>,
}

struct ModelSession {
    user: usize,
    /// What was given out, in the order of generations; the last one is current.
    tokens: Vec<Tokens>,
    rotated_at: i64,
    idle_until: i64,
    absolute_until: i64,
    has_ended: bool,
}

impl Model {
    fn end_all(&mut self, user: usize) {
        self.sessions.iter_mut().filter(|session| session.user == user).for_each(|session| session.has_ended = true);
    }

    /// The tokens of a session that are so many generations old, or its first, and how old they are.
    fn token(&self, index: usize, age: usize) -> (Tokens, usize) {
        let given = &self.sessions[index].tokens;
        let age = age.min(given.len() - 1);
        (given[given.len() - 1 - age].clone(), age)
    }

    /// What a refresh with the token so many generations old must come to: an answer, and whether it is a new generation.
    fn refresh(&mut self, index: usize, age: usize) -> Result<bool, &'static str> {
        let now = self.now;
        let session = &mut self.sessions[index];
        if session.has_ended || now >= session.idle_until {
            return Err("Unauthenticated SESSION_ENDED");
        }
        match age {
            0 => {
                session.rotated_at = now;
                session.idle_until = (now + IDLE).min(session.absolute_until);
                Ok(true)
            }
            1 if now - session.rotated_at <= GRACE => Ok(false),
            _ => {
                session.has_ended = true;
                Err("Unauthenticated SESSION_ENDED")
            }
        }
    }

    fn who_am_i(&self, index: usize, token: &Tokens) -> Result<(), &'static str> {
        let expires_at = token.access_expires_at.unwrap().seconds * 1_000;
        if self.now >= expires_at + LEEWAY {
            Err("Unauthenticated TOKEN_EXPIRED")
        } else if self.sessions[index].has_ended {
            Err("Unauthenticated SESSION_ENDED")
        } else {
            Ok(())
        }
    }
}

fn email(user: usize) -> String {
    format!("user{user}@example.com")
}

/// A service, its client, and what the model knows of it.
struct Life {
    app: TestApp,
    client: Client,
    model: Model,
}

impl Life {
    async fn begin(engine: Engine) -> Self {
        let app = TestApp::spawn(engine).await;
        let client = app.client().await;
        Self { app, client, model: Model { now: 1_800_000_000_000, ..Model::default() } }
    }

    async fn restart(self) -> Self {
        let app = self.app.restart().await;
        let client = app.client().await;
        Self { app, client, ..self }
    }

    async fn take(mut self, step: &Step) -> Self {
        let sessions = self.model.sessions.len();
        match step {
            Step::Restart => return self.restart().await,
            Step::SignUp(user) => {
                sign_up(&mut self.client, &email(*user)).await;
                self.model.users[*user].0 = true;
            }
            Step::Login(user) => self.log_in(*user).await,
            Step::Disable(user) => {
                self.app.app.disable_user(&email(*user).parse().unwrap()).await.unwrap();
                if self.model.users[*user].0 {
                    self.model.users[*user].1 = true;
                    self.model.end_all(*user);
                }
            }
            Step::Enable(user) => {
                self.app.app.enable_user(&email(*user).parse().unwrap()).await.unwrap();
                self.model.users[*user].1 = false;
            }
            Step::Advance(seconds) => {
                self.app.clock.advance(Duration::from_secs(*seconds));
                self.model.now += i64::try_from(*seconds).unwrap() * 1_000;
            }
            Step::Refresh(..) | Step::WhoAmI(..) | Step::Logout(..) if sessions == 0 => {}
            Step::Refresh(which, age) => self.refresh(which.index(sessions), *age).await,
            Step::WhoAmI(which, age) => self.ask_who_am_i(which.index(sessions), *age).await,
            Step::Logout(which, everywhere) => self.log_out(which.index(sessions), *everywhere).await,
        }
        self
    }

    async fn log_in(&mut self, user: usize) {
        let answer = login(&mut self.client, &email(user)).await.map_err(|refusal| summary(&refusal));
        let now = self.model.now;
        match self.model.users[user] {
            (false, _) => assert_eq!(answer.unwrap_err(), "Unauthenticated BAD_CREDENTIALS"),
            (true, true) => assert_eq!(answer.unwrap_err(), "PermissionDenied ACCOUNT_DISABLED"),
            (true, false) => self.model.sessions.push(ModelSession {
                user,
                tokens: vec![answer.unwrap().tokens.unwrap()],
                rotated_at: now,
                idle_until: now + IDLE,
                absolute_until: now + ABSOLUTE,
                has_ended: false,
            }),
        }
    }

    async fn refresh(&mut self, index: usize, age: usize) {
        let (token, age) = self.model.token(index, age);
        let current = self.model.token(index, 0).0;
        let answer = refresh(&mut self.client, &token.refresh_token).await.map_err(|refusal| summary(&refusal));
        match self.model.refresh(index, age) {
            Err(expected) => assert_eq!(answer.unwrap_err(), expected),
            Ok(true) => self.model.sessions[index].tokens.push(answer.unwrap()),
            Ok(false) => assert_eq!(answer.unwrap().refresh_token, current.refresh_token),
        }
    }

    async fn ask_who_am_i(&mut self, index: usize, age: usize) {
        let token = self.model.token(index, age).0;
        let answer = self.client.who_am_i(with_bearer(WhoAmIRequest {}, &token.access_token)).await;
        let answer = answer.map(|reply| reply.into_inner().user.unwrap().email).map_err(|refusal| summary(&refusal));
        let expected = self.model.who_am_i(index, &token).map_err(ToOwned::to_owned);
        assert_eq!(answer, expected.map(|()| email(self.model.sessions[index].user)));
    }

    async fn log_out(&mut self, index: usize, everywhere: bool) {
        let token = self.model.token(index, 0).0;
        let request = with_bearer(LogoutRequest { everywhere }, &token.access_token);
        let answer = self.client.logout(request).await.map_err(|refusal| summary(&refusal));
        match (everywhere, self.model.who_am_i(index, &token)) {
            (true, Err(expected)) => assert_eq!(answer.unwrap_err(), expected),
            (true, Ok(())) => {
                answer.unwrap();
                self.model.end_all(self.model.sessions[index].user);
            }
            (false, _) => {
                answer.unwrap();
                self.model.sessions[index].has_ended = true;
            }
        }
    }
}

async fn live(engine: Engine, steps: Vec<Step>) {
    let mut life = Life::begin(engine).await;
    for step in steps {
        life = life.take(&step).await;
    }
    life.app.stop().await;
}

fn check(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(step(), STEPS), |steps| {
        runtime.block_on(live(engine, steps));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn every_life_goes_as_the_model_says_on_sqlite() {
    check(Engine::Sqlite);
}

#[test]
fn every_life_goes_as_the_model_says_on_postgres() {
    check(Engine::Postgres);
}
