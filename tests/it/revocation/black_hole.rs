//! Every packet between a node and PostgreSQL vanishes, while another node goes on revoking: for `make faults-campaign`, since
//! only root may tell the kernel to drop packets.

use countersign::app::OnStale;
use tokio::{process::Command, time::Instant};

use super::{
    frozen::{ENDED, KINDS, LONGEST_CALL, STALE_AFTER, set_up, until, who_am_i},
    log_out, sessions,
};
use crate::support::{
    Engine, TestApp,
    grpc::{refresh, summary},
    proxy::Proxy,
    say,
};

/// The kernel's rules that drop what goes to a port of this machine and what comes from it, until they are dropped themselves.
struct BlackHole(u16);

impl BlackHole {
    async fn at(port: u16) -> Self {
        let hole = Self(port);
        for rule in hole.rules("--insert") {
            let done = Command::new("iptables").args(rule).status().await;
            assert!(done.is_ok_and(|done| done.success()), "iptables, as root: `make faults-campaign` installs it");
        }
        hole
    }

    fn rules(&self, change: &str) -> [Vec<String>; 2] {
        ["--dport", "--sport"].map(|side| {
            let rule = format!("--wait {change} INPUT --in-interface lo --protocol tcp {side} {} --jump DROP", self.0);
            rule.split(' ').map(str::to_owned).collect()
        })
    }
}

impl Drop for BlackHole {
    fn drop(&mut self) {
        for rule in self.rules("--delete") {
            // The test may have failed before the rule was there.
            let _ = std::process::Command::new("iptables").args(rule).status();
        }
    }
}

async fn swallowed(then: OnStale, name: &str) {
    let near = TestApp::with(Engine::Postgres, |setup| set_up(setup, then)).await;
    // Only a way of its own can be closed to one node and open to the other.
    let way = Proxy::before(near.database.port()).await;
    let mut setup = near.setup.clone();
    setup.database_port = Some(way.port);
    let far = near.another_node_with(setup).await;
    let opened = sessions(&near, "ada@example.com", 3).await;
    let [early, late, lives] = [0, 1, 2].map(|at| opened[at].tokens.access.expose());
    log_out(&near.app, &opened[0].tokens.access).await;
    until(&far, early, ENDED).await;
    // Whose they are it reads once, and remembers.
    for token in [late, lives] {
        assert_eq!(who_am_i(&far, token).await, "passes");
    }

    let hole = BlackHole::at(way.port).await;
    log_out(&near.app, &opened[1].tokens.access).await;
    assert_eq!(who_am_i(&near, late).await, ENDED);
    far.clock.sleep_through(STALE_AFTER);
    let expected = if then == OnStale::AllowUntilExp { "passes" } else { "Unavailable UNAVAILABLE" };
    for _ in 0..3 {
        assert_eq!(who_am_i(&far, late).await, expected, "its end is not known here");
        assert_eq!(who_am_i(&far, lives).await, expected);
        assert_eq!(who_am_i(&far, early).await, ENDED, "what is known stays known");
    }
    let asked = Instant::now();
    let refusal = refresh(&mut far.client().await, opened[2].tokens.refresh.expose()).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE");
    let waited = asked.elapsed();
    assert!(waited < 2 * LONGEST_CALL, "{waited:?}");

    drop(hole);
    let refused = until(&far, late, ENDED).await;
    let healed = until(&far, lives, "passes").await;
    assert_eq!(who_am_i(&far, early).await, ENDED);
    say(format_args!(
        "{name}: while packets vanish {expected}, a refresh told so after {waited:.1?}; what was revoked meanwhile is refused \
         {refused:.1?} after they arrive again, and all is well {healed:.1?} later"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root and iptables: make faults-campaign"]
async fn faults_campaign_packets_vanish() {
    for (then, name) in KINDS {
        Box::pin(swallowed(then, name)).await;
    }
}
