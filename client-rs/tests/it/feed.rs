//! Sessions that end are refused as soon as the service says so; where it says nothing, the policy decides.

use std::time::Duration;

use countersign_client::{BuildError, Feed, OnStale, Refusal, Verifier, VerifierBuilder};

use crate::support::{FakeClock, Forge, ISSUER, Service, forge::good, in_time, log_out};

const NOTHING: Duration = Duration::ZERO;

fn feed(service: &Service) -> Feed {
    Feed::new(&service.backend_key).url(&service.url)
}

fn following(service: &Service, feed: Feed) -> VerifierBuilder {
    Verifier::builder(ISSUER).keys_url(service.keys_url()).feed(feed)
}

/// Asks until the answer is this one. It comes with what is heard next.
async fn until(verifier: &Verifier, token: &str, expected: Result<(), Refusal>) {
    in_time(async {
        while verifier.verify(token).await.map(drop) != expected {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Waits until everything was told once.
async fn until_heard(verifier: &Verifier) {
    in_time(async {
        while verifier.revocations_age().unwrap() > Duration::from_secs(1) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_is_refused_and_the_others_are_not() {
    let service = Service::start(&[]).await;
    // Without a word of the service's nobody gets in, so what is let in is what was heard.
    let verifier = following(&service, feed(&service).on_stale(OnStale::Deny)).build().unwrap();
    let (ended, other) = (service.login().await.access_token, service.login().await.access_token);
    until(&verifier, &ended, Ok(())).await;
    log_out(&service, &ended, false).await;
    until(&verifier, &ended, Err(Refusal::SessionEnded)).await;
    assert!(verifier.verify(&other).await.is_ok());

    log_out(&service, &other, true).await;
    until(&verifier, &other, Err(Refusal::SessionEnded)).await;
    let later = service.login().await.access_token;
    assert!(verifier.verify(&later).await.is_ok(), "of the next epoch");

    // Whoever begins to listen now is told of what was before.
    let late = following(&service, feed(&service).on_stale(OnStale::Deny)).build().unwrap();
    until(&late, &later, Ok(())).await;
    for token in [&ended, &other] {
        assert_eq!(late.verify(token).await, Err(Refusal::SessionEnded));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_feed_is_silent_the_policy_decides() {
    let mut service = Service::start(&[]).await;
    let clock = FakeClock::at_present();
    let with = |on_stale| following(&service, feed(&service).on_stale(on_stale)).clock(clock.reader()).build().unwrap();
    let deny = with(OnStale::Deny);
    let introspect = with(OnStale::Introspect);
    let allow = with(OnStale::AllowFor(Duration::from_mins(1)));
    let token = service.login().await.access_token;
    for verifier in [&deny, &introspect, &allow] {
        until_heard(verifier).await;
    }
    service.kill().await;
    clock.advance(Duration::from_secs(4));
    for verifier in [&deny, &introspect] {
        assert!(verifier.verify(&token).await.is_ok(), "four seconds are nothing");
    }
    clock.advance(Duration::from_secs(2));
    assert_eq!(deny.verify(&token).await, Err(Refusal::Stale));
    assert_eq!(introspect.verify(&token).await, Err(Refusal::Stale), "there is nobody to ask");
    assert!(allow.verify(&token).await.is_ok());
    clock.advance(Duration::from_mins(1));
    assert_eq!(allow.verify(&token).await, Err(Refusal::Stale), "a minute is all");
    service.restart().await;
    for verifier in [&deny, &introspect, &allow] {
        until(verifier, &token, Ok(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_while_nobody_listened_is_told_afterwards() {
    let mut service = Service::start(&[]).await;
    let verifier = following(&service, feed(&service).on_stale(OnStale::Deny)).build().unwrap();
    let tokens = [service.login().await.access_token, service.login().await.access_token];
    log_out(&service, &tokens[0], false).await;
    until(&verifier, &tokens[0], Err(Refusal::SessionEnded)).await;
    until(&verifier, &tokens[1], Ok(())).await;
    service.kill().await;
    assert_eq!(verifier.verify(&tokens[0]).await, Err(Refusal::SessionEnded), "what was told stays told");
    service.disable_account().await;
    service.restart().await;
    until(&verifier, &tokens[1], Err(Refusal::SessionEnded)).await;
    assert_eq!(verifier.verify(&tokens[0]).await, Err(Refusal::SessionEnded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_set_forward_is_understood_on_a_new_line() {
    let service = Service::start(&[]).await;
    let clock = FakeClock::at_present();
    let verifier = following(&service, feed(&service)).clock(clock.reader()).build().unwrap();
    until_heard(&verifier).await;
    clock.advance(Duration::from_mins(10));
    until_heard(&verifier).await;
}

/// It goes on where it was: with everything told anew, nobody could say whether the session had ended meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_outlives_its_token_when_the_line_breaks() {
    let mut service = Service::start(&[]).await;
    let clock = FakeClock::at_present();
    let verifier = following(&service, feed(&service)).clock(clock.reader()).build().unwrap();
    until_heard(&verifier).await;
    let claims = verifier.verify(&service.login().await.access_token).await.unwrap();
    let stream = tokio::spawn(verifier.session_ended(&claims));
    clock.advance(Duration::from_mins(10));
    service.kill().await;
    service.restart().await;
    until_heard(&verifier).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!stream.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hears_nothing_may_ask() {
    let service = Service::start(&[]).await;
    // Whatever it hears is too old for it.
    let ask = feed(&service).on_stale(OnStale::Introspect).stale_after(NOTHING);
    let verifier = following(&service, ask).build().unwrap();
    let token = service.login().await.access_token;
    assert!(verifier.verify(&token).await.is_ok());
    log_out(&service, &token, false).await;
    assert_eq!(verifier.verify(&token).await, Err(Refusal::SessionEnded), "at once");
    let forged = Forge::default().sign(&good());
    assert_eq!(verifier.verify(&forged).await, Err(Refusal::Invalid), "about which nobody is asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_not_let_in_trusts_nobody() {
    let service = Service::start(&[]).await;
    let token = service.login().await.access_token;
    for key in ["cs_bk_made_up", &token] {
        for on_stale in [OnStale::Deny, OnStale::Introspect, OnStale::AllowFor(Duration::from_mins(1))] {
            let feed = Feed::new(key).url(&service.url).on_stale(on_stale);
            let verifier = following(&service, feed).build().unwrap();
            assert_eq!(verifier.verify(&token).await, Err(Refusal::Stale), "{on_stale:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_brings_the_keys_too() {
    let service = Service::start(&[]).await;
    let nowhere = "http://127.0.0.1:1/keys";
    let clock = FakeClock::at_present();
    let builder = Verifier::builder(ISSUER).keys_url(nowhere).clock(clock.reader());
    let verifier = builder.feed(feed(&service).on_stale(OnStale::Deny)).build().unwrap();
    let token = service.login().await.access_token;
    until(&verifier, &token, Ok(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_the_end_of_a_session_is_told() {
    let service = Service::start(&[]).await;
    let verifier = following(&service, feed(&service)).build().unwrap();
    let alone = Verifier::builder(ISSUER).keys_url(service.keys_url()).build().unwrap();
    let tokens = [service.login().await.access_token, service.login().await.access_token];
    let (ended, other) = (verifier.verify(&tokens[0]).await.unwrap(), verifier.verify(&tokens[1]).await.unwrap());
    let waiting = tokio::spawn(verifier.session_ended(&ended));
    let others = tokio::spawn(verifier.session_ended(&other));
    let unheard = tokio::spawn(alone.session_ended(&ended));
    log_out(&service, &tokens[0], false).await;
    in_time(waiting).await.unwrap();
    assert!(!others.is_finished() && !unheard.is_finished());
    assert_eq!(verifier.verify(&tokens[0]).await, Err(Refusal::SessionEnded));
}

#[test]
fn a_feed_is_set_up_where_it_can_be_followed() {
    let build = |url: &str, key: &str| {
        Verifier::builder("https://auth.example.com").feed(Feed::new(key).url(url)).build().map(drop).unwrap_err()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inside = runtime.enter();
    assert!(
        matches!(build("http://auth.example.com", "cs_bk_x"), BuildError::PlainHttp { .. }),
        "the key would be read"
    );
    assert!(matches!(build("https://auth.example.com", "a\nb"), BuildError::BackendKey));
    assert!(!format!("{:?}", Feed::new("cs_bk_secret")).contains("secret"));
    drop(inside);
    assert!(matches!(build("https://auth.example.com", "cs_bk_x"), BuildError::NoRuntime));
}
