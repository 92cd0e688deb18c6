//! What other services link must not be able to see how this one is made.

use std::fs;

use crate::architecture::{root, rust_files};

#[test]
fn the_rust_client_knows_proto_and_nothing_else_of_ours() {
    let manifest: toml::Table = fs::read_to_string(root().join("client-rs/Cargo.toml")).unwrap().parse().unwrap();
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let table = manifest[section].as_table().unwrap();
        let local = table.iter().filter(|(_, value)| value.get("path").is_some()).map(|(name, _)| name.as_str());
        // Itself, with all its features.
        assert!(local.eq((section == "dev-dependencies").then_some("countersign-client")), "{section}");
    }
    for file in rust_files(&root().join("client-rs/src")).into_iter().chain([root().join("client-rs/build.rs")]) {
        let text = fs::read_to_string(&file).unwrap();
        let paths = text.split("\"../").skip(1).map(|path| path.trim_start_matches("../"));
        let outside = paths.filter(|path| !path.starts_with("proto") && !path.starts_with("README.md"));
        assert_eq!(outside.count(), 0, "{}", file.display());
    }
}
