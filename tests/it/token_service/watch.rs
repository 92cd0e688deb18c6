//! Listening to what is revoked: everything once, then what happens, and never a gap in between.

use std::{collections::BTreeSet, time::Duration};

use countersign::{
    app::WatchEvent,
    domain::{AccessToken, BackendKey, Device, KeyState, SessionId},
    proto::{
        KeyState as ProtoKeyState, LogoutRequest, SignedIn, WatchRevocationsRequest, WatchRevocationsResponse,
        revocation::Revoked, watch_revocations_response::Event,
    },
};
use tonic::{Status, Streaming};

use super::{connect, let_in};
use crate::support::{
    Engine, TestApp,
    grpc::{summary, with_bearer},
    on_both_engines,
    process::in_time,
};

/// A service that listens, and what it was told.
struct Listener {
    stream: Streaming<WatchRevocationsResponse>,
    place: Vec<u8>,
    snapshots: usize,
    sessions: BTreeSet<String>,
    epochs: Vec<(Vec<u8>, i64)>,
    keys: Vec<ProtoKeyState>,
}

impl Listener {
    async fn new(app: &TestApp, key: &BackendKey, place: &[u8]) -> Result<Self, Status> {
        let request = WatchRevocationsRequest { resume_token: place.to_vec(), as_edge: false };
        let stream = connect(app).await.watch_revocations(with_bearer(request, key.expose())).await?.into_inner();
        let mut listener = Self {
            stream,
            place: Vec::new(),
            snapshots: 0,
            sessions: BTreeSet::new(),
            epochs: Vec::new(),
            keys: Vec::new(),
        };
        while listener.place.is_empty() {
            listener.hear().await?;
        }
        Ok(listener)
    }

    /// The next event; `None` at the end.
    async fn hear(&mut self) -> Result<Option<Event>, Status> {
        let Some(message) = in_time(self.stream.message()).await? else { return Ok(None) };
        assert!(message.server_time.is_some() && message.revocations_age.is_some());
        let event = message.event.unwrap();
        match &event {
            Event::SnapshotBegins(_) => self.snapshots += 1,
            Event::Revocations(batch) => {
                for revocation in &batch.revocations {
                    match revocation.revoked.clone().unwrap() {
                        Revoked::SessionId(id) => {
                            self.sessions.insert(SessionId::from_bytes(id.try_into().unwrap()).to_string());
                        }
                        Revoked::UserEpoch(epoch) => self.epochs.push((epoch.user_id, epoch.epoch)),
                    }
                }
            }
            Event::UpTo(place) => self.place.clone_from(&place.resume_token),
            Event::Keys(set) => self.keys = set.keys.iter().map(countersign::proto::PublicKey::state).collect(),
            Event::Heartbeat(_) | Event::GoAway(_) | Event::ForEdge(_) => {}
        }
        Ok(Some(event))
    }

    /// Hears until it was told up to somewhere else.
    async fn until_further(&mut self) {
        let before = self.place.clone();
        while self.place == before {
            self.hear().await.unwrap().unwrap();
        }
    }

    /// Hears until it is told to go, and that nothing comes after it.
    async fn until_sent_away(&mut self) {
        while !matches!(self.hear().await.unwrap(), Some(Event::GoAway(_))) {}
        assert_eq!(self.hear().await.unwrap(), None);
    }
}

async fn end(app: &TestApp, session: &SignedIn, everywhere: bool) {
    let token = &session.tokens.as_ref().unwrap().access_token;
    app.client().await.logout(with_bearer(LogoutRequest { everywhere }, token)).await.unwrap();
}

fn id(session: &SignedIn) -> String {
    session.session.as_ref().unwrap().id.clone()
}

on_both_engines! {
    async fn a_listener_is_told_everything_and_then_what_happens_on_any_node(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let key = let_in(&one, "gateway", &["countersign"]).await;
        other.app.pull_revocations().await.unwrap();
        let (before, later) = (one.signed_in("ada@example.com").await, one.signed_in("bob@example.com").await);
        let everywhere = one.signed_in("eve@example.com").await;
        end(&one, &before, false).await;
        other.app.pull_revocations().await.unwrap();

        let mut listener = Listener::new(&other, &key, &[]).await.unwrap();
        assert_eq!((listener.snapshots, &listener.sessions), (1, &[id(&before)].into()));
        assert_eq!(listener.keys, [ProtoKeyState::Active]);

        end(&one, &later, false).await;
        listener.until_further().await;
        assert!(listener.sessions.contains(&id(&later)));
        end(&one, &everywhere, true).await;
        listener.until_further().await;
        let user: countersign::domain::UserId = everywhere.user.unwrap().id.parse().unwrap();
        assert_eq!(listener.epochs, [(user.as_bytes().to_vec(), 1)], "one entry, however many sessions");

        one.app.publish_next_key().await.unwrap();
        listener.until_further().await;
        assert_eq!(listener.keys, [ProtoKeyState::Active, ProtoKeyState::Next]);
        let active = one.app.signing_keys().iter().find(|key| key.state == KeyState::Active).unwrap().id.clone();
        one.app.revoke_key(&active).await.unwrap();
        listener.until_further().await;
        assert_eq!(listener.keys, [ProtoKeyState::Active], "the revoked one is gone");
        assert_eq!(listener.snapshots, 1);
    }

    async fn who_comes_again_is_told_what_it_missed_and_no_more(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let key = let_in(&one, "gateway", &["countersign"]).await;
        other.app.pull_revocations().await.unwrap();
        let sessions = [one.signed_in("ada@example.com").await, one.signed_in("bob@example.com").await];
        end(&one, &sessions[0], false).await;
        one.app.pull_revocations().await.unwrap();
        let place = Listener::new(&one, &key, &[]).await.unwrap().place;
        end(&one, &sessions[1], false).await;
        other.app.pull_revocations().await.unwrap();

        let resumed = Listener::new(&other, &key, &place).await.unwrap();
        assert_eq!((resumed.snapshots, resumed.sessions), (0, [id(&sessions[1])].into()), "on another node too");

        for nowhere in [&b"junk"[..], &[1; 25], &vec![0xff; place.len()], &[&place[..], &[0]].concat()] {
            let fresh = Listener::new(&other, &key, nowhere).await.unwrap();
            assert_eq!((fresh.snapshots, fresh.sessions.len()), (1, 2), "{nowhere:?}");
        }
        one.database.execute("DELETE FROM revocation_feed").await;
        let fresh = Listener::new(&other, &key, &place).await.unwrap();
        assert_eq!((fresh.snapshots, fresh.sessions.len()), (1, 2), "what the database has forgotten the node has not");
    }

    async fn who_is_shut_out_hears_nothing_more(engine) {
        let app = TestApp::spawn(engine).await;
        let key = let_in(&app, "gateway", &["countersign"]).await;
        let mut listener = Listener::new(&app, &key, &[]).await.unwrap();
        app.app.revoke_backend(&"gateway".parse().unwrap()).await.unwrap();
        let refusal = loop {
            if let Err(refusal) = listener.hear().await {
                break refusal;
            }
        };
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
        let foreign = let_in(&app, "billing", &["billing"]).await;
        let refusal = Listener::new(&app, &foreign, &[]).await.err().unwrap();
        assert_eq!(summary(&refusal), "PermissionDenied FORBIDDEN");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_is_sent_away_in_time_and_when_the_node_stops() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", &["countersign"]).await;
    let mut listener = Listener::new(&app, &key, &[]).await.unwrap();
    assert!(matches!(listener.hear().await, Ok(Some(Event::Heartbeat(_)))));
    app.clock.sleep_through(Duration::from_mins(8));
    assert!(matches!(listener.hear().await, Ok(Some(Event::Heartbeat(_)))));
    app.clock.sleep_through(Duration::from_mins(2));
    listener.until_sent_away().await;

    let mut listener = Listener::new(&app, &key, &[]).await.unwrap();
    end(&app, &app.signed_in("ada@example.com").await, false).await;
    while listener.sessions.is_empty() {
        listener.hear().await.unwrap();
    }
    let before = listener.place.clone();
    let stopping = tokio::spawn(app.stop());
    listener.until_sent_away().await;
    assert_ne!(listener.place, before, "where it stands is told before it goes");
    in_time(stopping).await.unwrap();
}

/// Where it stands is ten times as long as what it is told: said once a second, and to whoever tells on at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_hears_at_once_what_happens_and_in_a_while_where_it_stands() {
    const ENDED: usize = 6;
    let app = TestApp::spawn(Engine::Sqlite).await;
    let edge = app.app.create_backend("edge".parse().unwrap(), vec!["countersign".parse().unwrap()], true).await;
    let key = edge.unwrap().unwrap();
    let node = app.use_cases(&app.setup.master_keys).await.unwrap();
    let backend = node.verifier().authenticate_backend(Some(&key)).unwrap();
    let listen =
        async |as_edge, place: &[u8]| node.verifier().watch_revocations(backend.clone(), place, as_edge).await.unwrap();
    let mut service = listen(false, &[]).await;
    let mut telling_on = listen(true, &[]).await;
    for watch in [&mut service, &mut telling_on] {
        while !matches!(watch.next().await.unwrap(), Some(WatchEvent::Heartbeat)) {}
    }
    for number in 0..ENDED {
        let session = app.signed_in(&format!("u{number}@example.com")).await;
        let token = AccessToken::from_text(session.tokens.unwrap().access_token);
        node.log_out(&node.authenticate_to_leave(Some(&token)).unwrap(), Device::default()).await.unwrap();
        node.pull_revocations().await.unwrap();
    }
    let (mut told, mut places) = (0, Vec::new());
    while told < ENDED {
        match service.next().await.unwrap().unwrap() {
            WatchEvent::Revoked(batch) => told += batch.len(),
            WatchEvent::UpTo(place) => places.push(place),
            _ => {}
        }
    }
    assert!(places.len() < ENDED / 2, "{} places", places.len());
    let last = loop {
        if let Some(WatchEvent::UpTo(place)) = service.next().await.unwrap() {
            break place;
        }
    };
    let mut again = listen(false, &last).await;
    assert!(matches!(again.next().await.unwrap(), Some(WatchEvent::Keys(_))));
    assert!(
        matches!(again.next().await.unwrap(), Some(WatchEvent::UpTo(place)) if place == last),
        "nothing was missed"
    );

    let (mut told, mut is_placed) = (0, true);
    while told < ENDED || !is_placed {
        match telling_on.next().await.unwrap().unwrap() {
            WatchEvent::Revoked(batch) => {
                assert!(is_placed, "the one before was told with no place");
                (told, is_placed) = (told + batch.len(), false);
            }
            WatchEvent::UpTo(_) => is_placed = true,
            _ => {}
        }
    }
}

/// Whoever does not keep up is not told with gaps, and costs no more than a bounded backlog.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_is_too_slow_is_told_to_come_again_and_finds_its_place() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", &["countersign"]).await;
    let node = app.use_cases(&app.setup.master_keys).await.unwrap();
    let backend = node.verifier().authenticate_backend(Some(&key)).unwrap();
    let mut watch = node.verifier().watch_revocations(backend.clone(), &[], false).await.unwrap();
    let mut place = None;
    while place.is_none() {
        if let Some(WatchEvent::UpTo(told)) = watch.next().await.unwrap() {
            place = Some(told);
        }
    }
    let mut ended = 0;
    for _ in 0..300 {
        let opened = crate::support::grpc::login(&mut app.client().await, "ada@example.com").await;
        let session = match opened {
            Ok(session) => session,
            Err(_) => app.signed_in("ada@example.com").await,
        };
        let token = AccessToken::from_text(session.tokens.unwrap().access_token);
        node.log_out(&node.authenticate_to_leave(Some(&token)).unwrap(), Device::default()).await.unwrap();
        node.pull_revocations().await.unwrap();
        ended += 1;
    }
    let mut told = 0;
    loop {
        match watch.next().await.unwrap() {
            Some(WatchEvent::Revoked(batch)) => told += batch.len(),
            Some(WatchEvent::UpTo(further)) => place = Some(further),
            Some(WatchEvent::GoAway) => break,
            Some(_) => {}
            None => panic!("it is told to go"),
        }
    }
    assert!(told < ended);
    let mut again = node.verifier().watch_revocations(backend, &place.unwrap(), false).await.unwrap();
    while told < ended {
        match again.next().await.unwrap().unwrap() {
            WatchEvent::Revoked(batch) => told += batch.len(),
            WatchEvent::SnapshotBegins { .. } => panic!("it is known where it left"),
            _ => {}
        }
    }
    assert_eq!(told, ended);
}
