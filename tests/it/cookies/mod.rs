//! Sessions of browsers: tokens in cookies that scripts cannot read, for pages of either profile.

mod refusals;
mod session;

use std::collections::BTreeSet;

use crate::support::{
    CROSS_SITE_PAGE, PAGE, TestApp,
    browser::{Browser, SetCookie},
    http::{Encoding, Http, Version},
};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
/// Seven days, in seconds, as a session lives unless it is refreshed.
const IDLE: u64 = 604_800;

/// What a page's cookies are called, and how they travel.
struct Profile {
    page: &'static str,
    access: &'static str,
    refresh: &'static str,
    attributes: &'static [&'static str],
}

const SAME_SITE: Profile = Profile {
    page: PAGE,
    access: "__Host-countersign-access",
    refresh: "__Host-countersign-refresh",
    attributes: &["Path=/", "Secure", "HttpOnly", "SameSite=Lax"],
};

const CROSS_SITE: Profile = Profile {
    page: CROSS_SITE_PAGE,
    access: "__Host-countersign-x-access",
    refresh: "__Host-countersign-x-refresh",
    attributes: &["Path=/", "Secure", "HttpOnly", "SameSite=None", "Partitioned"],
};

impl Profile {
    /// The two cookies, with these values, exactly these attributes and so without `Domain`.
    fn cookies(&self, access: &str, refresh: &str, max_age: u64) -> [SetCookie; 2] {
        let lifetime = format!("Max-Age={max_age}");
        let attributes: BTreeSet<_> = self.attributes.iter().map(ToString::to_string).chain([lifetime]).collect();
        [(self.access, access), (self.refresh, refresh)].map(|(name, value)| SetCookie {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes: attributes.clone(),
        })
    }

    /// The values that were set, as they should be.
    fn values(&self, set: &[SetCookie], max_age: u64) -> (String, String) {
        let [access, refresh] = set else { panic!("two cookies: {set:?}") };
        assert_eq!(set, self.cookies(&access.value, &refresh.value, max_age));
        assert!(access.value.starts_with("v4.public."), "{access:?}");
        assert!(refresh.value.starts_with("cs_rt_"), "{refresh:?}");
        (access.value.clone(), refresh.value.clone())
    }

    fn assert_deleted(&self, set: &[SetCookie]) {
        assert_eq!(set, self.cookies("", "", 0));
    }
}

/// A page of either profile over HTTP/1.1 and HTTP/2, binary and text: each in a browser of its own.
fn browsers(app: &TestApp) -> Vec<(&'static Profile, Browser)> {
    let mut all = Vec::new();
    for profile in [&SAME_SITE, &CROSS_SITE] {
        for version in [Version::Http1, Version::Http2] {
            for encoding in [Encoding::Binary, Encoding::Text] {
                let http = Http { address: app.address, version, tls: None };
                all.push((profile, Browser { encoding, ..Browser::new(http, profile.page) }));
            }
        }
    }
    all
}
