use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Barrier,
    thread,
};

use super::*;
use crate::{
    config::{DataDirError, prepare_data_dir},
    entropy::OsEntropy,
};

fn in_folder(folder: &Path) -> Config {
    Operator::new().sets(&[("database.data_dir", folder.to_str().unwrap())]).loads().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_makes_a_key_that_nobody_else_reads() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("a/data");
    let config = in_folder(&folder);
    assert!(!folder.exists(), "loading changes nothing");

    prepare_data_dir(&config, &OsEntropy).unwrap();

    let path = folder.join("master.key");
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    let key = fs::read_to_string(&path).unwrap();
    assert_eq!(key.lines().count(), 1);
    prepare_data_dir(&config, &OsEntropy).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), key, "the second start keeps it");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
}

#[test]
fn processes_that_start_at_once_end_with_one_key() {
    for _ in 0..20 {
        let root = tempfile::tempdir().unwrap();
        let config = in_folder(&root.path().join("data"));
        let start = Barrier::new(8);
        let keys: Vec<String> = thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        prepare_data_dir(&config, &OsEntropy).unwrap();
                        fs::read_to_string(config.data_dir.join("master.key")).unwrap()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0] && key.ends_with('\n')));
        assert_eq!(fs::read_dir(&config.data_dir).unwrap().count(), 1);
    }
}

#[test]
fn a_key_that_others_can_read_is_refused_with_what_to_run() {
    let root = tempfile::tempdir().unwrap();
    let config = in_folder(root.path());
    prepare_data_dir(&config, &OsEntropy).unwrap();
    let path = root.path().join("master.key");
    for exposed in [0o640, 0o604, 0o660, 0o610] {
        fs::set_permissions(&path, Permissions::from_mode(exposed)).unwrap();
        let refusal = prepare_data_dir(&config, &OsEntropy).unwrap_err();
        assert!(matches!(refusal, DataDirError::Exposed { .. }));
        assert!(refusal.to_string().contains(&format!("chmod 600 {}", path.display())), "{refusal}");
    }
}

#[test]
fn a_key_file_that_holds_something_else_is_refused_and_kept() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("master.key");
    for content in ["", "c4n4ry"] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let refusal = prepare_data_dir(&in_folder(root.path()), &OsEntropy).unwrap_err();
        assert!(matches!(refusal, DataDirError::Invalid { .. }), "{refusal}");
        assert!(!format!("{refusal} {refusal:?}").contains("c4n4ry"));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn nothing_is_made_where_nothing_will_lie() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let elsewhere = [("database.url", "postgres://db/countersign"), ("database.data_dir", folder.to_str().unwrap())];
    prepare_data_dir(&Operator::production().sets(&elsewhere).loads().unwrap(), &OsEntropy).unwrap();
    assert!(!folder.exists());
}
