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

async fn live(engine: Engine, steps: Vec<Step>) {
    let mut app = TestApp::spawn(engine).await;
    let mut client = app.client().await;
    let mut model = Model { now: 1_800_000_000_000, ..Model::default() };
    for step in steps {
        if matches!(step, Step::Restart) {
            app = app.restart().await;
            client = app.client().await;
            continue;
        }
        take(&app, &mut client, &mut model, &step).await;
    }
    app.stop().await;
}

async fn take(app: &TestApp, client: &mut Client, model: &mut Model, step: &Step) {
    match step {
        Step::SignUp(user) => {
            sign_up(client, &email(*user)).await;
            model.users[*user].0 = true;
        }
        Step::Login(user) => {
            let answer = login(client, &email(*user)).await.map_err(|refusal| summary(&refusal));
            match model.users[*user] {
                (false, _) => assert_eq!(answer.unwrap_err(), "Unauthenticated BAD_CREDENTIALS"),
                (true, true) => assert_eq!(answer.unwrap_err(), "PermissionDenied ACCOUNT_DISABLED"),
                (true, false) => model.sessions.push(ModelSession {
                    user: *user,
                    tokens: vec![answer.unwrap().tokens.unwrap()],
                    rotated_at: model.now,
                    idle_until: model.now + IDLE,
                    absolute_until: model.now + ABSOLUTE,
                    has_ended: false,
                }),
            }
        }
        Step::Disable(user) => {
            app.app.disable_user(&email(*user).parse().unwrap()).await.unwrap();
            if model.users[*user].0 {
                model.users[*user].1 = true;
                model.end_all(*user);
            }
        }
        Step::Enable(user) => {
            app.app.enable_user(&email(*user).parse().unwrap()).await.unwrap();
            model.users[*user].1 = false;
        }
        Step::Advance(seconds) => {
            app.clock.advance(Duration::from_secs(*seconds));
            model.now += i64::try_from(*seconds).unwrap() * 1_000;
        }
        Step::Refresh(..) | Step::WhoAmI(..) | Step::Logout(..) if model.sessions.is_empty() => {}
        Step::Refresh(which, age) => {
            let index = which.index(model.sessions.len());
            let given = &model.sessions[index].tokens;
            let age = (*age).min(given.len() - 1);
            let (token, current) = (given[given.len() - 1 - age].clone(), given[given.len() - 1].clone());
            let answer = refresh(client, &token.refresh_token).await.map_err(|refusal| summary(&refusal));
            match model.refresh(index, age) {
                Err(expected) => assert_eq!(answer.unwrap_err(), expected),
                Ok(true) => model.sessions[index].tokens.push(answer.unwrap()),
                Ok(false) => assert_eq!(answer.unwrap().refresh_token, current.refresh_token),
            }
        }
        Step::WhoAmI(which, age) => {
            let index = which.index(model.sessions.len());
            let given = &model.sessions[index].tokens;
            let token = &given[given.len() - 1 - (*age).min(given.len() - 1)];
            let answer = client.who_am_i(with_bearer(WhoAmIRequest {}, &token.access_token)).await;
            match (model.who_am_i(index, token), answer) {
                (Ok(()), answer) => {
                    let user = answer.unwrap().into_inner().user.unwrap();
                    assert_eq!(user.email, email(model.sessions[index].user));
                }
                (Err(expected), answer) => assert_eq!(summary(&answer.unwrap_err()), expected),
            }
        }
        Step::Logout(which, everywhere) => {
            let index = which.index(model.sessions.len());
            let token = model.sessions[index].tokens.last().unwrap().clone();
            let request = with_bearer(LogoutRequest { everywhere: *everywhere }, &token.access_token);
            let answer = client.logout(request).await.map_err(|refusal| summary(&refusal));
            match (everywhere, model.who_am_i(index, &token)) {
                (true, Err(expected)) => assert_eq!(answer.unwrap_err(), expected),
                (true, Ok(())) => {
                    answer.unwrap();
                    model.end_all(model.sessions[index].user);
                }
                (false, _) => {
                    answer.unwrap();
                    model.sessions[index].has_ended = true;
                }
            }
        }
        Step::Restart => unreachable!("the caller's"),
    }
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
