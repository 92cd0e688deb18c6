//! What the README says to type is typed, against the real binary, and answers what the README shows.

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;
use tonic::{Request, transport::Endpoint};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::{
    Database, on_both_engines,
    process::{Binary, Output, Serving, in_time},
};

const README: &str = include_str!("../../README.md");
const SECTION: &str = "\n## Sign in within 60 seconds\n";
/// Where the README finds the service; what the service itself prints is the number.
const SHOWN: &str = "localhost:50051";
const SHOWN_URL: &str = "http://127.0.0.1:50051";

/// A block of commands, and what the README shows of their output.
struct Step {
    commands: String,
    shown: Option<String>,
}

/// The fenced blocks of the section: `sh` is typed, `text` right after it is shown.
fn steps() -> Vec<Step> {
    let section = README.split_once(SECTION).expect("the section is there").1;
    let section = section.split_once("\n## ").expect("it ends").0;
    let mut steps: Vec<Step> = Vec::new();
    let mut rest = section;
    while let Some((_, block)) = rest.split_once("\n```") {
        let (language, block) = block.split_once('\n').unwrap();
        let (content, after) = block.split_once("```\n").unwrap_or((block, ""));
        match language {
            "sh" => steps.push(Step { commands: content.to_owned(), shown: None }),
            "text" => assert!(steps.last_mut().unwrap().shown.replace(content.to_owned()).is_none(), "shown once"),
            other => panic!("a block of {other:?}"),
        }
        rest = after;
    }
    steps
}

/// Whether `actual` is what the README shows. An ellipsis stands for whatever differs each time: in a line for a part of
/// it, on a line of its own for any number of lines.
fn is_shown(shown: &str, actual: &str) -> bool {
    fn lines(shown: &[&str], actual: &[&str]) -> bool {
        match (shown.split_first(), actual.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((&"…", after)), rest) => lines(after, actual) || rest.is_some_and(|(_, rest)| lines(shown, rest)),
            (Some((line, after)), Some((found, rest))) => is_line(line, found) && lines(after, rest),
            (Some(_), None) => false,
        }
    }
    fn is_line(shown: &str, actual: &str) -> bool {
        match shown.split_once('…') {
            None => shown == actual,
            Some((start, end)) => {
                let longest = start.len() + end.len();
                actual.len() > longest && actual.starts_with(start) && actual.ends_with(end)
            }
        }
    }
    lines(&shown.lines().collect::<Vec<_>>(), &actual.lines().collect::<Vec<_>>())
}

/// Runs a script with the repository's own tools first on the PATH; what it writes to either stream is one text.
async fn bash(script: &str, variables: &[(&str, &str)]) -> Output {
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/bin");
    assert!(tools.join("grpcurl").exists(), "{} lacks grpcurl: run `make tools`", tools.display());
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let child = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{script}")])
        .env("PATH", path)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = in_time(child).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The one value of a field in JSON as grpcurl prints it.
fn field<'a>(json: &'a str, name: &str) -> &'a str {
    let value = json.split_once(&format!("\"{name}\": \"")).unwrap_or_else(|| panic!("{name} in {json}")).1;
    value.split_once('"').unwrap().0
}

/// The service as the README starts it: with no settings but a folder and, in the end, a database.
fn started_as_shown(database: &Database) -> Binary {
    Binary::default().with("COUNTERSIGN_DATABASE__URL", database.url(None))
}

async fn announcement(mut serving: Serving) -> (Serving, String) {
    serving.line("/WhoAmI").await;
    let text = serving.text().replace(&serving.url, SHOWN_URL);
    (serving, text)
}

on_both_engines! {
    async fn the_first_minute_goes_as_shown(engine) {
        let database = Database::create(engine).await;
        let (serving, told) = announcement(started_as_shown(&database).serve().await).await;
        let steps = steps();
        let (start, typed) = steps.split_first().unwrap();
        assert_eq!(start.commands, "cargo run\n");
        assert!(is_shown(start.shown.as_ref().unwrap(), &told), "{told}");
        assert!(typed.len() >= 7, "list, describe, SignUp, Login, WhoAmI, Refresh, Logout");

        let commands: Vec<&str> = typed.iter().map(|step| step.commands.as_str()).collect();
        let script = commands.join("echo '=== end'\n");
        let script = script.replace(SHOWN, &serving.address.to_string());
        let output = bash(&script, &[]).await;

        // grpcurl's exit code for UNAUTHENTICATED is 64 + 16; any earlier failure would have ended the script before.
        assert_eq!(output.code, Some(80), "{}", output.stdout);
        let answers: Vec<&str> = output.stdout.split("=== end\n").collect();
        assert_eq!(answers.len(), typed.len(), "{}", output.stdout);
        for (step, answer) in typed.iter().zip(&answers) {
            if let Some(shown) = &step.shown {
                assert!(is_shown(shown, answer), "{}shows\n{shown}and answers\n{answer}", step.commands);
            }
        }
        let user = database.text(match engine {
            crate::support::Engine::Sqlite => "SELECT lower(hex(id)) FROM users",
            crate::support::Engine::Postgres => "SELECT replace(id::text, '-', '') FROM users",
        });
        let user = user.await.unwrap();
        for of in ["Login", "WhoAmI"] {
            let position = typed.iter().position(|step| step.commands.contains(&format!("AuthService/{of}"))).unwrap();
            assert_eq!(field(answers[position], "id").replace('-', ""), user, "{of}");
            assert_eq!(field(answers[position], "email"), "ada@example.com");
        }
        assert_eq!(database.number("SELECT generation FROM sessions").await, 1, "the tokens were renewed");
        assert_eq!(database.text("SELECT end_reason FROM sessions").await.as_deref(), Some("signed_out"));
    }

    async fn what_serve_prints_to_type_works_as_it_is(engine) {
        let database = Database::create(engine).await;
        let (serving, told) = announcement(started_as_shown(&database).serve().await).await;
        let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        let address = serving.address.to_string();
        let mut answers: Vec<String> = Vec::new();
        for line in &lines {
            assert!(line.starts_with("grpcurl "), "{line}");
            let token = answers.last().filter(|answer| answer.contains("accessToken"));
            let token = token.map_or("", |answer| field(answer, "accessToken")).to_owned();
            let output = bash(&line.replace("127.0.0.1:50051", &address), &[("TOKEN", &token)]).await;
            assert_eq!(output.code, Some(0), "{line}\n{output:?}");
            answers.push(output.stdout);
        }
        let [list, sign_up, login, who_am_i] = answers.try_into().unwrap();
        let services = [
            "countersign.v1.AuthService",
            "countersign.v1.TokenService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection\n",
        ];
        assert_eq!(list, services.join("\n"));
        assert_eq!(sign_up.split_whitespace().collect::<String>(), "{}");
        assert_eq!(field(&who_am_i, "id"), field(&login, "id"));
    }
}

#[tokio::test]
async fn newer_tools_get_the_same_list_from_the_newer_reflection() {
    let serving = Binary::default().serve().await;
    let channel = Endpoint::from_shared(serving.url.clone()).unwrap().connect().await.unwrap();
    let request = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
    let request = Request::new(tokio_stream::once(request));
    let mut answers = ServerReflectionClient::new(channel).server_reflection_info(request).await.unwrap().into_inner();
    let answer = in_time(answers.message()).await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    let expected = [
        "countersign.v1.AuthService",
        "countersign.v1.TokenService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn what_production_asks_for_is_what_the_readme_shows() {
    let output = Binary::default().with("COUNTERSIGN_PROFILE", "production").run(&["check-config"]).await;
    let shown = README.split_once("$ COUNTERSIGN_PROFILE=production countersign check-config\n").unwrap().1;
    assert_eq!(output.stderr, shown.split_once("```").unwrap().0);
}

#[test]
fn what_the_readme_points_to_is_there() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let links = README.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    let files: Vec<&str> = links.filter(|link| !link.contains("://")).collect();
    assert!(files.len() > 10);
    for file in files {
        assert!(root.join(file).is_file(), "{file}");
    }
    assert!(README.contains("make test"));
}

#[test]
fn an_ellipsis_stands_for_what_differs_and_for_nothing_else() {
    for (shown, actual, is) in [
        ("a\n", "a\n", true),
        ("a\n", "a\nb\n", false),
        ("a\nb\n", "a\n", false),
        ("…\nb\n…\n", "a\na\nb\nc\n", true),
        ("…\nb\n", "a\nb\nc\n", false),
        ("\"id\": \"01…\",\n", "\"id\": \"01af\",\n", true),
        ("\"id\": \"01…\",\n", "\"id\": \"\",\n", false),
        ("\"id\": \"01…\",\n", "\"id\": \"01\",\n", false),
    ] {
        assert_eq!(is_shown(shown, actual), is, "{shown:?} {actual:?}");
    }
}
