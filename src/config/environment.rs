//! Settings in the environment: `COUNTERSIGN_<SECTION>__<KEY>`.

/// What our variables begin with.
const PREFIX: &str = "COUNTERSIGN_";

/// The variable of a setting.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Whether a variable is meant for the configuration, so that there must be a setting of its name.
pub(super) fn is_ours(name: &str, value: &str) -> bool {
    match name.strip_prefix(PREFIX) {
        // Which file to read is no setting of that file.
        Some("CONFIG") | None => false,
        Some(rest) => !rest.starts_with("TEST_") && !is_service_link(rest, value),
    }
}

/// Whether it comes from Kubernetes or Docker, which tell every container beside a service named `countersign` of
/// `COUNTERSIGN_SERVICE_HOST`, `COUNTERSIGN_PORT=tcp://…`, `COUNTERSIGN_PORT_50051_TCP_ADDR`, …
fn is_service_link(rest: &str, value: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let is_link = |pair: &[&str]| match pair {
        ["SERVICE", "HOST" | "PORT"] => true,
        ["PORT", number] => number.parse::<u16>().is_ok(),
        _ => false,
    };
    words.windows(2).any(is_link) || (words.last() == Some(&"PORT") && value.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_one_variable() {
        assert_eq!(variable("server.max_connections"), "COUNTERSIGN_SERVER__MAX_CONNECTIONS");
        assert_eq!(variable("profile"), "COUNTERSIGN_PROFILE");
    }

    #[test]
    fn what_others_set_is_left_alone() {
        for name in [
            "PATH",
            "COUNTERSIGN_CONFIG",
            "COUNTERSIGN_TEST_DATABASE",
            "COUNTERSIGN_SERVICE_HOST",
            "COUNTERSIGN_SERVICE_PORT",
            "COUNTERSIGN_SERVICE_PORT_GRPC",
            "COUNTERSIGN_PORT",
            "COUNTERSIGN_PORT_50051_TCP",
            "COUNTERSIGN_PORT_50051_TCP_ADDR",
            "COUNTERSIGN_GRPC_PORT_50051_TCP_PROTO",
        ] {
            assert!(!is_ours(name, "tcp://10.0.0.1:50051"), "{name}");
        }
        for name in
            ["COUNTERSIGN_", "COUNTERSIGN_PROFIL", "COUNTERSIGN_SERVER__PORT", "COUNTERSIGN_PORT", "COUNTERSIGN_LISTEN"]
        {
            assert!(is_ours(name, "8080"), "{name}");
        }
    }
}
