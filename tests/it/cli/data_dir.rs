//! The data directory: made on the first start, by one of those who start, and kept from other users of the machine.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use countersign::proto::WhoAmIRequest;

use crate::support::{
    grpc::{login, sign_up, with_bearer},
    http::{Http, Version},
    process::{Binary, Serving},
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The keys that a service publishes.
async fn published(serving: &Serving) -> String {
    let http = Http { address: serving.address, version: Version::Http1, tls: None };
    let reply = http.send(http::Method::GET, "/.well-known/countersign/keys", &[], "").await;
    String::from_utf8(reply.body.to_vec()).unwrap()
}

#[tokio::test]
async fn nobody_else_on_the_machine_can_read_it() {
    let binary = Binary::default().patient();
    let data = binary.folder.path().join("data");
    let key = data.join("master.key");
    assert_eq!(binary.serve().await.stop().await.code, Some(0));
    assert_eq!((mode(&data), mode(&key)), (0o700, 0o600));
    let text = fs::read_to_string(&key).unwrap();

    for exposed in [0o644, 0o640, 0o604, 0o660] {
        fs::set_permissions(&key, fs::Permissions::from_mode(exposed)).unwrap();
        let output = binary.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(output.code, Some(1), "{exposed:o}: {output:?}");
        assert_eq!(
            output.stderr,
            "error: preparing the data directory failed\n  \
             ./data/master.key can be read by others; if none has, run: chmod 600 ./data/master.key\n"
        );
    }

    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(binary.serve().await.stop().await.code, Some(0));
    assert_eq!(fs::read_to_string(&key).unwrap(), text, "the same key as ever");
}

#[tokio::test]
async fn two_that_start_at_once_agree_on_one_key() {
    for round in 0..5 {
        let binary = Binary::default().patient();
        let arguments = ["serve", "--listen", "127.0.0.1:0"];
        let (one, other) = (binary.start(&arguments), binary.start(&arguments));
        let (one, other) = tokio::join!(Serving::new(one), Serving::new(other));

        let keys = published(&one).await;
        assert_eq!(keys, published(&other).await, "round {round}");
        assert_eq!(keys.matches("\"kid\"").count(), 1, "round {round}: {keys}");
        let (mut here, mut there) = (one.client().await, other.client().await);
        sign_up(&mut here, "ada@example.com").await;
        let tokens = login(&mut there, "ada@example.com").await.unwrap().tokens.unwrap();
        assert!(here.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.is_ok(), "round {round}");

        for serving in [one, other] {
            let stopped = serving.stop().await;
            assert_eq!(stopped.code, Some(0), "round {round}: {stopped:?}");
        }
        let mut files: Vec<_> = fs::read_dir(binary.folder.path().join("data"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("countersign.db"))
            .collect();
        files.sort();
        assert_eq!(files, ["feed.mark", "master.key"], "round {round}: no draft is left");
    }
}
