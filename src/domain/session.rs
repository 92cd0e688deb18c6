//! A sign-in that lasts: where it stands, and what a refresh does to it.

use std::{net::IpAddr, time::Duration};

use super::{Generation, SessionId, SessionSalt, Timestamp, UserId};

/// One device of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Made by the service at sign-in, never taken from a client.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What its refresh tokens are derived with.
    pub salt: SessionSalt,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// When it ends even if it is refreshed.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: SessionState,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It can be refreshed.
    Active {
        /// How often it was.
        generation: Generation,
        /// When it last was, or was opened.
        rotated_at: Timestamp,
        /// When it ends unless it is refreshed.
        idle_expires_at: Timestamp,
    },
    /// It never comes back.
    Ended {
        /// Since when.
        at: Timestamp,
        /// By what.
        why: EndReason,
    },
}

/// What ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The person signed out.
    SignedOut,
    /// It was not refreshed in time, or is too old.
    Expired,
    /// The person signed out everywhere.
    Revoked,
    /// A refresh token was used again after its time: somebody has a copy.
    TokenReuse,
    /// The password was replaced.
    PasswordChanged,
    /// The account is to be deleted.
    UserDeleted,
    /// The account was disabled.
    UserDisabled,
    /// The person has as many newer ones as anybody may have.
    Displaced,
}

/// How long sessions and their parts live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// From one refresh to the next.
    pub idle: Duration,
    /// From sign-in to the end.
    pub absolute: Duration,
    /// How long a replaced refresh token still yields its successor.
    pub grace: Duration,
}

/// Where and with what somebody signs in: shown to the person, never trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What the client calls itself; empty when it does not say.
    pub user_agent: String,
}

/// What presenting a refresh token means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshing {
    /// It is the current one: the session moves on, unless somebody else moves it first.
    Rotate {
        /// The generation presented.
        from: Generation,
        /// When the session will end unless it is refreshed again.
        idle_expires_at: Timestamp,
    },
    /// It was replaced a moment ago, by another tab or by an answer that got lost: its holder gets the current one.
    Repeat {
        /// The generation that replaced it.
        current: Generation,
        /// When the session ends unless it is refreshed.
        idle_expires_at: Timestamp,
    },
    /// It was replaced long ago, or was never made: there are two holders, and one of them is a thief.
    Reused,
    /// The session is over.
    Over,
}

impl Session {
    /// A session that opens at `now`.
    #[must_use]
    pub fn open(id: SessionId, user: UserId, salt: SessionSalt, now: Timestamp, lifetimes: SessionLifetimes) -> Self {
        let expires_at = now + lifetimes.absolute;
        let state = SessionState::Active {
            generation: Generation::FIRST,
            rotated_at: now,
            idle_expires_at: expires_at.min(now + lifetimes.idle),
        };
        Self { id, user, salt, authenticated_at: now, expires_at, state }
    }

    /// The same session, refreshed or proven anew at `now`; an ended one stays as it is.
    #[must_use]
    pub fn moved_on(self, now: Timestamp, lifetimes: SessionLifetimes) -> Self {
        let SessionState::Active { generation, .. } = self.state else { return self };
        let idle_expires_at = self.expires_at.min(now + lifetimes.idle);
        let state = SessionState::Active { generation: generation.next(), rotated_at: now, idle_expires_at };
        Self { state, ..self }
    }

    /// Whether it has ended, was not refreshed in time, or is too old.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self.state {
            SessionState::Active { idle_expires_at, .. } => now >= idle_expires_at || now >= self.expires_at,
            SessionState::Ended { .. } => true,
        }
    }

    /// What it means that somebody presents a refresh token of generation `presented`.
    #[must_use]
    pub fn judge(&self, presented: Generation, now: Timestamp, lifetimes: SessionLifetimes) -> Refreshing {
        let SessionState::Active { generation, rotated_at, idle_expires_at } = self.state else {
            return Refreshing::Over;
        };
        if self.is_over(now) {
            return Refreshing::Over;
        }
        // Nodes may differ by a little; a clock set back by more must not open a window that had closed.
        let just_rotated = now.since(rotated_at) <= lifetimes.grace && rotated_at.since(now) <= lifetimes.grace;
        if presented == generation {
            Refreshing::Rotate { from: generation, idle_expires_at: self.expires_at.min(now + lifetimes.idle) }
        } else if presented.next() == generation && just_rotated {
            Refreshing::Repeat { current: generation, idle_expires_at }
        } else {
            Refreshing::Reused
        }
    }
}

impl EndReason {
    /// Every reason, for reading them back.
    pub const ALL: [Self; 8] = [
        Self::SignedOut,
        Self::Expired,
        Self::Revoked,
        Self::TokenReuse,
        Self::PasswordChanged,
        Self::UserDeleted,
        Self::UserDisabled,
        Self::Displaced,
    ];

    /// The name that is stored and logged.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::TokenReuse => "token_reuse",
            Self::PasswordChanged => "password_changed",
            Self::UserDeleted => "user_deleted",
            Self::UserDisabled => "user_disabled",
            Self::Displaced => "displaced",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: SessionLifetimes = SessionLifetimes {
        idle: Duration::from_secs(100),
        absolute: Duration::from_secs(250),
        grace: Duration::from_secs(10),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    fn session(generation: i64, rotated: i64) -> Session {
        let opened = Session::open(
            SessionId::from_bytes([1; 16]),
            UserId::from_bytes([2; 16]),
            SessionSalt::from_bytes([3; 32]),
            at(0),
            LIFETIMES,
        );
        let generation = Generation::from_count(generation).unwrap();
        Session {
            state: SessionState::Active { generation, rotated_at: at(rotated), idle_expires_at: at(rotated + 100) },
            ..opened
        }
    }

    fn judge(session: &Session, presented: i64, now: i64) -> Refreshing {
        session.judge(Generation::from_count(presented).unwrap(), at(now), LIFETIMES)
    }

    #[test]
    fn the_current_token_moves_the_session_on() {
        let from = Generation::from_count(3).unwrap();
        assert_eq!(judge(&session(3, 50), 3, 60), Refreshing::Rotate { from, idle_expires_at: at(160) });
        assert_eq!(
            judge(&session(3, 140), 3, 200),
            Refreshing::Rotate { from, idle_expires_at: at(250) },
            "never past the end"
        );
    }

    #[test]
    fn the_token_before_yields_the_same_successor_for_a_moment() {
        let current = Generation::from_count(3).unwrap();
        for now in [50, 55, 60, 40] {
            assert_eq!(
                judge(&session(3, 50), 2, now),
                Refreshing::Repeat { current, idle_expires_at: at(150) },
                "{now}"
            );
        }
        assert_eq!(judge(&session(3, 50), 2, 61), Refreshing::Reused);
        assert_eq!(judge(&session(3, 50), 2, 39), Refreshing::Reused, "a clock set back opens nothing");
    }

    #[test]
    fn any_other_token_shows_that_there_are_two_holders() {
        for presented in [0, 1, 4, 99] {
            assert_eq!(judge(&session(3, 50), presented, 51), Refreshing::Reused, "{presented}");
        }
    }

    #[test]
    fn what_is_over_stays_over() {
        assert_eq!(judge(&session(3, 50), 3, 150), Refreshing::Over, "idle");
        assert_eq!(judge(&session(3, 200), 3, 250), Refreshing::Over, "too old");
        let ended = Session { state: SessionState::Ended { at: at(1), why: EndReason::SignedOut }, ..session(0, 0) };
        assert_eq!(judge(&ended, 0, 2), Refreshing::Over);
    }
}
