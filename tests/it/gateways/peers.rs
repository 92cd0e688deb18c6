//! nginx, Caddy and Envoy themselves, with the files in `deploy/gateways` as they are but for the addresses, and for ten times
//! their patience: a busy machine should not look like a service that hangs.

use std::{fs, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use countersign::proto::{LogoutRequest, SignedIn};
use http::{Method, StatusCode};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::interval,
};

use crate::support::{
    PAGE,
    application::{Application, Seen},
    browser::Browser,
    grpc::{login, sign_up, with_bearer},
    http::{Http, Reply, Version},
    process::{Binary, Serving, in_time},
};

const ADA: &str = "ada@example.com";

/// A gateway in front of an application, and the service that it asks.
struct Gateway {
    address: SocketAddr,
    application: Application,
    service: Serving,
    _process: Child,
    _folder: TempDir,
    _binary: Binary,
}

impl Gateway {
    /// Starts `program` with its file, which `wrap` completes, and `arguments` after which the file's path follows.
    async fn start(program: &str, file: &str, wrap: impl Fn(&str, &Path) -> String, arguments: &[&str]) -> Self {
        let binary = Binary::default().patient().with("COUNTERSIGN_BROWSER__SAME_SITE_ORIGINS", PAGE);
        let (service, application) = (binary.serve().await, Application::start().await);
        let address = free_address().await;
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/gateways").join(file);
        let mut text = fs::read_to_string(shipped).unwrap();
        for (theirs, ours) in [(8000, address), (50051, service.address), (8080, application.address)] {
            for (from, to) in [
                (format!("127.0.0.1:{theirs}"), ours.to_string()),
                (format!("port_value: {theirs} "), format!("port_value: {} ", ours.port())),
            ] {
                text = text.replace(&from, &to);
            }
            assert!(text.contains(&ours.port().to_string()), "{file} names port {theirs}");
        }
        for (shipped, patient) in [("250ms", "2500ms"), ("500ms", "5000ms"), ("0.25s", "2.5s"), ("0.5s", "5s")] {
            text = text.replace(shipped, patient);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        fs::write(&path, wrap(&text, folder.path())).unwrap();
        let process = Command::new(program)
            .args(arguments)
            .arg(&path)
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; `make test-gateways` installs it"));
        let gateway = Self { address, application, service, _process: process, _folder: folder, _binary: binary };
        in_time(gateway.until_it_listens()).await;
        gateway
    }

    async fn until_it_listens(&self) {
        let mut ticks = interval(Duration::from_millis(10));
        while TcpStream::connect(self.address).await.is_err() {
            ticks.tick().await;
        }
    }

    fn http(&self) -> Http {
        Http { address: self.address, version: Version::Http1, tls: None }
    }

    async fn send(&self, method: Method, headers: &[(&str, &str)]) -> Reply {
        // On the heap: by itself as large as all that a test holds.
        Box::pin(in_time(self.http().send(method, "/orders?id=1", headers, "2 apples"))).await
    }

    /// What the application saw of a request that passed.
    async fn passes(&self, method: Method, headers: &[(&str, &str)]) -> Seen {
        let reply = self.send(method, headers).await;
        assert_eq!(reply.status, StatusCode::OK, "{headers:?}: {reply:?}");
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The same after the service stood still: what it knows of revocations may have become too old meanwhile, and until it has
    /// looked it lets nobody in.
    async fn passes_again(&self, bearer: &str) {
        in_time(async {
            loop {
                let reply = self.send(Method::GET, &[("authorization", bearer)]).await;
                if reply.status == StatusCode::OK {
                    return;
                }
                assert!(reply.status.is_server_error(), "{reply:?}");
            }
        })
        .await;
    }

    /// A request that does not reach the application.
    async fn stops(&self, method: Method, headers: &[(&str, &str)]) -> Reply {
        let before = self.application.calls();
        let reply = self.send(method, headers).await;
        assert_eq!(self.application.calls(), before, "{headers:?}: {reply:?}");
        reply
    }
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// What every gateway has to show.
async fn stands(gateway: Gateway) {
    let mut client = gateway.service.client().await;
    sign_up(&mut client, ADA).await;
    let ada = login(&mut client, ADA).await.unwrap();
    let bearer = format!("Bearer {}", ada.tokens.as_ref().unwrap().access_token);

    nobody_is_stopped(&gateway).await;
    a_bearer_token_passes(&gateway, &ada, &bearer).await;
    a_page_passes_by_cookie(&gateway, &ada).await;

    client.logout(with_bearer(LogoutRequest::default(), &ada.tokens.unwrap().access_token)).await.unwrap();
    let reply = gateway.stops(Method::GET, &[("authorization", &bearer)]).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "a session that has ended");

    let bearer = format!("Bearer {}", login(&mut client, ADA).await.unwrap().tokens.unwrap().access_token);
    gateway.passes(Method::GET, &[("authorization", &bearer)]).await;
    gateway.service.freeze().await;
    let reply = gateway.stops(Method::GET, &[("authorization", &bearer)]).await;
    assert!(reply.status.is_server_error(), "a service that hangs: {reply:?}");
    gateway.service.thaw().await;
    gateway.passes_again(&bearer).await;
    let Gateway { service, application, address, _process, _folder, _binary } = gateway;
    service.stop().await;
    let before = application.calls();
    let http = Http { address, version: Version::Http1, tls: None };
    let reply = Box::pin(in_time(http.send(Method::GET, "/", &[("authorization", &bearer)], ""))).await;
    assert!(reply.status.is_server_error(), "a service that is gone: {reply:?}");
    assert_eq!(application.calls(), before);
}

async fn nobody_is_stopped(gateway: &Gateway) {
    for headers in [&[][..], &[("x-auth-user", "root")][..], &[("authorization", "Bearer x")][..]] {
        for method in [Method::GET, Method::POST] {
            let reply = gateway.stops(method, headers).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{headers:?}");
            assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer realm=\"countersign\""));
        }
    }
}

async fn a_bearer_token_passes(gateway: &Gateway, ada: &SignedIn, bearer: &str) {
    let spoofed = [
        ("authorization", bearer),
        ("x-auth-user", "root"),
        ("x-auth-roles", "admin"),
        ("x-auth-cookie", "theme=light"),
        ("x_auth_user", "root"),
        ("x_auth_roles", "admin"),
        ("cookie", "theme=dark; __Host-countersign-refresh=cs_rt_x"),
    ];
    for method in [Method::GET, Method::POST] {
        let seen = gateway.passes(method, &spoofed).await;
        assert_eq!(seen["x-auth-user"], ada.user.as_ref().unwrap().id);
        assert_eq!(seen["x-auth-session"], ada.session.as_ref().unwrap().id);
        assert_eq!(seen.get("x-auth-roles").map_or("", String::as_str), "");
        assert_eq!(seen["cookie"], "theme=dark");
        assert_eq!(seen["(body)"], "2 apples");
        assert!(seen.keys().all(|name| !name.starts_with("x_auth")), "{seen:?}");
        assert!(seen.values().all(|value| value != "root" && value != "theme=light"), "{seen:?}");
    }
}

/// Signs in through the gateway, as a browser does that knows no other host.
async fn a_page_passes_by_cookie(gateway: &Gateway, ada: &SignedIn) {
    let mut browser = Browser::new(gateway.http(), PAGE);
    browser.login(ADA).await;
    let cookies = format!("theme=dark; {}", browser.cookies().join("; "));
    let cookies = ("cookie", cookies.as_str());
    for (method, headers) in [(Method::GET, &[cookies][..]), (Method::POST, &[cookies, ("origin", PAGE)][..])] {
        let seen = gateway.passes(method, headers).await;
        assert_eq!(seen["x-auth-user"], ada.user.as_ref().unwrap().id);
        assert_eq!(seen["cookie"], "theme=dark", "no cookie of ours behind the gateway");
    }
    for headers in [
        &[cookies, ("origin", "https://evil.test")][..],
        &[cookies, ("origin", "null")][..],
        &[cookies][..],
        &[cookies, ("origin", "https://evil.test"), ("x-forwarded-method", "GET")][..],
        &[cookies, ("x-forwarded-method", "GET")][..],
    ] {
        let reply = gateway.stops(Method::POST, headers).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
}

#[tokio::test]
#[ignore = "needs nginx: make test-gateways"]
async fn nginx_lets_through_who_is_signed_in() {
    let wrap = |text: &str, folder: &Path| {
        let temp = folder.join("body");
        format!(
            "daemon off; master_process off; pid {0}/pid; error_log stderr crit; events {{}} \
             http {{ access_log off; client_body_temp_path {1}; proxy_temp_path {1}; fastcgi_temp_path {1}; \
             uwsgi_temp_path {1}; scgi_temp_path {1};\n{text}\n}}",
            folder.display(),
            temp.display()
        )
    };
    stands(Gateway::start("nginx", "nginx.conf", wrap, &["-c"]).await).await;
}

#[tokio::test]
#[ignore = "needs Caddy: make test-gateways"]
async fn caddy_lets_through_who_is_signed_in() {
    // Its administration would take a port that is not ours.
    let wrap = |text: &str, _: &Path| format!("{{\n\tadmin off\n\tlog {{\n\t\tlevel ERROR\n\t}}\n}}\n\n{text}");
    stands(Gateway::start("caddy", "Caddyfile", wrap, &["run", "--adapter", "caddyfile", "--config"]).await).await;
}

#[tokio::test]
#[ignore = "needs Envoy: make test-gateways"]
async fn envoy_lets_through_who_is_signed_in() {
    let envoy = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/bin/envoy");
    let arguments = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "--config-path"];
    stands(Gateway::start(envoy, "envoy.yaml", |text, _| text.to_owned(), &arguments).await).await;
}
