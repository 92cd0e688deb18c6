//! How long hashing under today's parameters takes, so that a hash under weaker ones can take as long: else whoever tries a
//! password learns from the time that there is an account, and that nobody has signed in to it for long.

use std::time::Duration;

/// How many are remembered: enough to be as various as they are, few enough to follow what the machine does now.
const REMEMBERED: usize = 64;

/// The times that hashes took lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    lately: Vec<Duration>,
    oldest: usize,
}

impl Pace {
    /// Another one.
    pub(super) fn record(&mut self, took: Duration) {
        if self.lately.len() < REMEMBERED {
            self.lately.push(took);
        } else {
            self.lately[self.oldest] = took;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }

    /// One of them, so that what is made to take as long is neither more even nor less; `None` before there is any.
    pub(super) fn pick(&self, random: u8) -> Option<Duration> {
        (!self.lately.is_empty()).then(|| self.lately[usize::from(random) % self.lately.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_last_is_picked() {
        let mut pace = Pace::default();
        assert_eq!(pace.pick(7), None);
        let milliseconds = |count: usize| Duration::from_millis(u64::try_from(count).unwrap());
        (0..100).for_each(|count| pace.record(milliseconds(count)));
        let picked: std::collections::BTreeSet<_> = (0..=255).filter_map(|random| pace.pick(random)).collect();
        assert_eq!(picked, (36..100).map(milliseconds).collect());
    }
}
