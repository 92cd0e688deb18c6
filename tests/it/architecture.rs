//! The dependency rule, held: a module names only what its row allows, no row points outward, no file grows too long.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use syn::{
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// A module, what of ours it may name, and which outside crates; inner rings first. A new arrow is an edit here, in review.
const RULES: &[(&str, &[&str], &[&str])] = &[
    ("domain", &[], &["base64", "idna", "secrecy", "thiserror", "unicode_normalization", "uuid", "zeroize"]),
    ("clock", &["domain"], &["rustix", "time"]),
    ("entropy", &[], &["getrandom"]),
    ("metrics", &[], &["prometheus_client", "rustix"]),
    (
        "crypto",
        &["clock", "domain", "entropy", "metrics"],
        &[
            "argon2_rust",
            "aws_lc_rs",
            "base64",
            "flume",
            "pasetors",
            "phc",
            "quick_cache",
            "secrecy",
            "serde",
            "serde_json",
            "thiserror",
            "time",
            "tokio",
            "zeroize",
        ],
    ),
    ("store", &["domain"], &["migrations", "sea_orm", "secrecy", "thiserror", "tokio", "uuid"]),
    (
        "mail",
        &["domain"],
        &["lettre", "minijinja", "secrecy", "serde", "serde_json", "thiserror", "time", "tokio", "tracing"],
    ),
    ("revocations", &["domain"], &[]),
    ("upstream", &["domain"], &["countersign_client", "thiserror", "tonic", "tracing"]),
    (
        "app",
        &["clock", "crypto", "domain", "entropy", "mail", "metrics", "revocations", "store", "upstream"],
        &["quick_cache", "thiserror", "tokio", "tokio_util", "tracing"],
    ),
    ("proto", &[], &["prost", "tonic"]),
    (
        "grpc",
        &["app", "domain", "proto", "store"],
        &[
            "envoy_types",
            "prost",
            "prost_types",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio_stream",
            "tonic",
            "tonic_prost",
            "tonic_types",
            "tracing",
        ],
    ),
    (
        "server",
        &["app", "domain", "entropy", "grpc", "metrics", "proto"],
        &[
            "axum",
            "envoy_types",
            "ipnet",
            "serde",
            "serde_json",
            "thiserror",
            "time",
            "tokio",
            "tokio_rustls",
            "tokio_stream",
            "tokio_util",
            "tonic",
            "tonic_health",
            "tonic_reflection",
            "tonic_web",
            "tower",
            "tower_http",
            "tracing",
        ],
    ),
    ("telemetry", &[], &["serde_json", "thiserror", "tracing", "tracing_subscriber"]),
    (
        "config",
        &["app", "crypto", "domain", "entropy", "grpc", "mail", "server", "store", "telemetry", "upstream"],
        &["ipnet", "secrecy", "thiserror", "toml", "tracing"],
    ),
    (
        "cli",
        &["app", "clock", "config", "crypto", "domain", "entropy", "mail", "server", "store", "telemetry", "upstream"],
        &["clap", "rpassword", "secrecy", "thiserror", "time", "tokio", "tokio_util", "tracing"],
    ),
    ("main", &[], &["clap", "countersign", "tikv_jemallocator", "tokio"]),
];

const LONGEST_FILE: usize = 300;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn modules_name_what_their_row_says_and_nothing_else() {
    let dependencies = dependencies();
    let mut broken = Vec::new();
    for (module, ours, outside) in RULES.iter().filter(|(module, ..)| *module != "proto") {
        let mut used = BTreeSet::new();
        for file in files_of(module) {
            let mut names = Names::default();
            names.visit_file(&syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap());
            // What was imported from elsewhere under a crate's name is not that crate.
            let foreign =
                names.outside.difference(&names.imported).filter(|name| dependencies.contains(*name)).cloned();
            let here: BTreeSet<String> =
                names.ours.into_iter().map(|name| format!("crate::{name}")).chain(foreign).collect();
            let may = |name: &str| match name.strip_prefix("crate::") {
                Some(own) => own == *module || ours.contains(&own),
                None => outside.contains(&name),
            };
            let file = file.strip_prefix(root()).unwrap().display().to_string();
            broken.extend(here.iter().filter(|name| !may(name)).map(|name| format!("{file} names {name}")));
            used.extend(here);
        }
        // A row that allows what nobody needs would let it in unseen.
        let allowed = ours.iter().map(|name| format!("crate::{name}")).chain(outside.iter().map(ToString::to_string));
        broken
            .extend(allowed.filter(|name| !used.contains(name)).map(|name| format!("{module} has no need of {name}")));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// `sqlx` is listed for the features that it gives SeaORM, and named by the tests.
#[test]
fn every_dependency_is_needed() {
    let named = RULES.iter().flat_map(|(.., outside)| outside.iter().map(ToString::to_string));
    let needed: BTreeSet<String> = named.chain(["sqlx".to_owned()]).collect();
    assert_eq!(dependencies(), needed);
}

#[test]
fn every_arrow_points_inward() {
    let mut inner: Vec<&str> = Vec::new();
    for (module, ours, _) in RULES {
        for name in *ours {
            assert!(inner.contains(name), "{module} may name {name} only if {name} stands before it");
        }
        inner.push(module);
    }
}

#[test]
fn every_module_has_a_row() {
    let lib = syn::parse_file(&fs::read_to_string(root().join("src/lib.rs")).unwrap()).unwrap();
    let modules = lib.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    });
    let mut declared: BTreeSet<String> = modules.collect();
    declared.insert("main".to_owned());
    let ruled: BTreeSet<String> = RULES.iter().map(|(module, ..)| (*module).to_owned()).collect();
    assert_eq!(declared, ruled);
}

#[test]
fn no_file_is_too_long() {
    let ours = ["src", "migrations/src", "tests/it", "build.rs", "proto"];
    let clients = ["src", "tests", "examples", "build.rs"].map(|place| format!("client-rs/{place}"));
    let long: Vec<String> = ours
        .iter()
        .map(ToString::to_string)
        .chain(clients)
        .flat_map(|place| rust_files(&root().join(place)))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", file.strip_prefix(root()).unwrap().display()))
        })
        .collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

/// The test of the test: each kind of naming is seen.
#[test]
fn a_name_is_seen_wherever_it_stands() {
    let code = "
        use crate::store::Store;
        use {sea_orm::{DbErr, entity::prelude::*}, tonic as wire};
        fn a(_: crate::mail::Mail) -> axum::Router { clap::command!(); prost::Message::encode }
        fn b() -> local::Thing { hyper::body::to_bytes() }
        mod local {}
        #[derive(Debug, thiserror::Error)] struct C;
    ";
    let mut names = Names::default();
    names.visit_file(&syn::parse_file(code).unwrap());
    assert_eq!(names.ours, ["mail", "store"].map(str::to_owned).into());
    for name in ["sea_orm", "tonic", "axum", "clap", "prost", "hyper", "thiserror"] {
        assert!(names.outside.contains(name), "{name}");
    }
}

#[derive(Default)]
struct Names {
    ours: BTreeSet<String>,
    outside: BTreeSet<String>,
    imported: BTreeSet<String>,
}

impl Names {
    fn path(&mut self, segments: &[String]) {
        match segments {
            [first, second, ..] if first == "crate" => drop(self.ours.insert(second.clone())),
            [first, ..] => drop(self.outside.insert(first.clone())),
            [] => {}
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, above: &[String]) {
        let below = |name: String| [above, &[name]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &below(path.ident.to_string())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, above)),
            syn::UseTree::Name(name) => {
                self.imported.insert(name.ident.to_string());
                self.path(&below(name.ident.to_string()));
            }
            syn::UseTree::Rename(rename) => self.path(&below(rename.ident.to_string())),
            syn::UseTree::Glob(_) => self.path(&below("*".to_owned())),
        }
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&item.tree, &[]);
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        self.visit_path(attribute.path());
        if attribute.path().is_ident("derive") {
            let derived = attribute.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated).unwrap();
            for path in &derived {
                self.path(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
            }
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        // One segment alone is something local: a crate is only ever named to get at what is in it.
        if path.segments.len() > 1 {
            self.path(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        }
        visit::visit_path(self, path);
    }
}

/// What `[dependencies]` lists, as code names it, and the crate itself for `main`.
fn dependencies() -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let listed = manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_"));
    listed.chain(["countersign".to_owned()]).collect()
}

fn files_of(module: &str) -> Vec<PathBuf> {
    let single = root().join("src").join(format!("{module}.rs"));
    if single.exists() { vec![single] } else { rust_files(&root().join("src").join(module)) }
}

pub fn rust_files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
