//! Two nodes on one database: what is ended on one is ended on the other, without anybody asking the database for each call.

use countersign::proto::{LogoutRequest, Tokens, WhoAmIRequest};
use tonic::Status;

use crate::support::{
    TestApp,
    grpc::{Client, login, refresh, sign_up, summary, with_bearer},
    on_both_engines,
    process::in_time,
};

const ADA: &str = "ada@example.com";

async fn who_am_i(client: &mut Client, tokens: &Tokens) -> Result<(), Status> {
    client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.map(drop)
}

/// Asks until it is refused. The clock stands still, so that what a node remembers of the session never grows old: only
/// what it hears of the other can make it refuse.
async fn until_refused(client: &mut Client, tokens: &Tokens) -> String {
    let refused = async {
        loop {
            if let Err(refusal) = who_am_i(client, tokens).await {
                break summary(&refusal);
            }
        }
    };
    in_time(refused).await
}

on_both_engines! {
    async fn a_session_ended_on_one_node_is_soon_refused_by_the_other(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let (mut here, mut there) = (one.client().await, other.client().await);
        sign_up(&mut here, ADA).await;
        let left = login(&mut here, ADA).await.unwrap().tokens.unwrap();
        let stays = login(&mut there, ADA).await.unwrap().tokens.unwrap();
        for tokens in [&left, &stays] {
            who_am_i(&mut here, tokens).await.unwrap();
            who_am_i(&mut there, tokens).await.unwrap();
        }

        here.logout(with_bearer(LogoutRequest { everywhere: false }, &left.access_token)).await.unwrap();

        let refusal = who_am_i(&mut here, &left).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "at once where it was said");
        let refusal = refresh(&mut there, &left.refresh_token).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "at once where the database is asked");
        assert_eq!(until_refused(&mut there, &left).await, "Unauthenticated SESSION_ENDED");
        who_am_i(&mut there, &stays).await.unwrap();
        who_am_i(&mut here, &stays).await.unwrap();

        let later = one.another_node().await;
        let refusal = who_am_i(&mut later.client().await, &left).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "from the start where it starts later");
    }

    async fn so_is_every_session_of_somebody_who_leaves_everywhere_or_is_disabled(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let (mut here, mut there) = (one.client().await, other.client().await);
        sign_up(&mut here, ADA).await;
        for is_disabled in [false, true] {
            let first = login(&mut here, ADA).await.unwrap().tokens.unwrap();
            let second = login(&mut there, ADA).await.unwrap().tokens.unwrap();
            for tokens in [&first, &second] {
                who_am_i(&mut there, tokens).await.unwrap();
            }
            if is_disabled {
                assert!(one.app.disable_user(&ADA.parse().unwrap()).await.unwrap());
            } else {
                here.logout(with_bearer(LogoutRequest { everywhere: true }, &first.access_token)).await.unwrap();
            }
            for tokens in [&first, &second] {
                assert_eq!(until_refused(&mut there, tokens).await, "Unauthenticated SESSION_ENDED");
            }
        }
        assert_eq!(summary(&login(&mut there, ADA).await.unwrap_err()), "PermissionDenied ACCOUNT_DISABLED");
    }
}
