//! What somebody meant who wrote a name that does not exist.

/// The known name that is nearest to `name`, if one is near: a slip of the finger, or the right key in the wrong section.
pub(super) fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let judged = known.map(|candidate| (edits(name, candidate), candidate));
    let (distance, nearest) = judged.min_by_key(|&(distance, candidate)| {
        // A key of the same name counts as near as a key with one slip.
        if last(candidate) == last(name) { (1, distance) } else { (distance, 0) }
    })?;
    (distance <= 3 || last(nearest) == last(name)).then_some(nearest)
}

/// How many characters must be added, removed or replaced to make one of the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let known =
            ["server.listen", "sessions.idle", "keys.master_key", "database.max_connections", "server.max_connections"];
        let nearest = |name| suggest(name, known.into_iter());
        assert_eq!(nearest("server.lisen"), Some("server.listen"));
        assert_eq!(nearest("session.idle"), Some("sessions.idle"));
        assert_eq!(nearest("server.master_key"), Some("keys.master_key"));
        assert_eq!(nearest("master_key"), Some("keys.master_key"));
        assert_eq!(nearest("databse.max_connections"), Some("database.max_connections"));
        assert_eq!(nearest("mail.smtp_host"), None);
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
