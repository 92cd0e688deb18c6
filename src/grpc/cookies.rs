//! The two cookies of a browser session, and the one by which the browser is known again: read, set and deleted with the same names and attributes.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use super::CookieProfile;
use crate::domain::{AccessToken, DeviceToken, RefreshToken};

/// As long as a browser keeps anything (RFC 6265bis §5.6.2).
const REMEMBERED_FOR: Duration = Duration::from_hours(400 * 24);

/// One name occurs twice: somebody has put a cookie of theirs beside ours, and nobody can say which is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicate;

/// The names of a profile's cookies and how they travel. `__Host-` keeps them to this host and off plain HTTP (RFC 6265bis
/// §4.1.3); the two profiles have different names, since a browser sends a partitioned and an unpartitioned cookie of one
/// name both.
struct Kind {
    access: &'static str,
    refresh: &'static str,
    device: &'static str,
    attributes: &'static str,
}

const SAME_SITE: Kind = Kind {
    access: "__Host-countersign-access",
    refresh: "__Host-countersign-refresh",
    device: "__Host-countersign-device",
    attributes: "Path=/; Secure; HttpOnly; SameSite=Lax",
};

const CROSS_SITE: Kind = Kind {
    access: "__Host-countersign-x-access",
    refresh: "__Host-countersign-x-refresh",
    device: "__Host-countersign-x-device",
    attributes: "Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
};

const fn kind(profile: CookieProfile) -> &'static Kind {
    match profile {
        CookieProfile::SameSite => &SAME_SITE,
        CookieProfile::CrossSite => &CROSS_SITE,
    }
}

/// What the names of all our cookies begin with.
const PREFIX: &str = "__Host-countersign-";

/// The tokens that a page's cookies carry.
#[derive(Debug, Default)]
pub(super) struct Cookies {
    pub(super) access: Option<AccessToken>,
    pub(super) refresh: Option<RefreshToken>,
    pub(super) device: Option<DeviceToken>,
}

impl Cookies {
    /// Reads the cookies of `profile`, which HTTP/2 may split over any number of fields (RFC 9113 §8.2.3).
    pub(super) fn read(metadata: &MetadataMap, profile: CookieProfile) -> Result<Self, Duplicate> {
        let kind = kind(profile);
        Ok(Self {
            access: only(metadata, kind.access)?.map(|value| AccessToken::from_text(value.to_owned())),
            refresh: only(metadata, kind.refresh)?.map(|value| RefreshToken::from_text(value.to_owned())),
            device: only(metadata, kind.device)?.map(|value| DeviceToken::from_text(value.to_owned())),
        })
    }
}

/// The cookies as they were written, whichever field they came in.
fn pairs(metadata: &MetadataMap) -> impl Iterator<Item = &str> {
    let fields = metadata.get_all("cookie").iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(';')).map(str::trim).filter(|pair| !pair.is_empty())
}

/// Whether a cookie of ours is there, of whichever profile.
pub(super) fn are_ours_there(metadata: &MetadataMap) -> bool {
    pairs(metadata).any(|pair| pair.starts_with(PREFIX))
}

/// All cookies but ours, as one field: what other services may see.
pub(super) fn without_ours(metadata: &MetadataMap) -> String {
    pairs(metadata).filter(|pair| !pair.starts_with(PREFIX)).collect::<Vec<_>>().join("; ")
}

/// The value of the one cookie of that name.
fn only<'a>(metadata: &'a MetadataMap, name: &str) -> Result<Option<&'a str>, Duplicate> {
    let named = pairs(metadata).filter_map(|pair| pair.split_once('=')).filter(|(other, _)| *other == name);
    let mut values = named.map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value.filter(|value| !value.is_empty())),
        (_, Some(_)) => Err(Duplicate),
    }
}

/// Sets both cookies; they live as long as the refresh token, so that an aged access token is told from none.
pub(super) fn set(metadata: &mut MetadataMap, profile: CookieProfile, access: &str, refresh: &str, max_age: Duration) {
    let kind = kind(profile);
    put(metadata, kind.access, access, max_age, kind.attributes);
    put(metadata, kind.refresh, refresh, max_age, kind.attributes);
}

/// Sets the cookie by which the browser is known again. It outlives the session: a browser that signs out is no other.
pub(super) fn remember(metadata: &mut MetadataMap, profile: CookieProfile, device: &str) {
    let kind = kind(profile);
    put(metadata, kind.device, device, REMEMBERED_FOR, kind.attributes);
}

/// Deletes both. A browser takes a partitioned cookie away only when `Partitioned` is said again.
pub(super) fn delete(metadata: &mut MetadataMap, profile: CookieProfile) {
    set(metadata, profile, "", "", Duration::ZERO);
}

fn put(metadata: &mut MetadataMap, name: &str, value: &str, max_age: Duration, attributes: &str) {
    let text = format!("{name}={value}; Max-Age={}; {attributes}", max_age.as_secs());
    // Names, tokens and attributes are all ASCII of ours.
    if let Ok(mut value) = text.parse::<MetadataValue<Ascii>>() {
        value.set_sensitive(true);
        metadata.append("set-cookie", value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(fields: &[&str], profile: CookieProfile) -> Result<Option<String>, Duplicate> {
        let mut metadata = MetadataMap::new();
        for field in fields {
            metadata.append("cookie", field.parse().unwrap());
        }
        Ok(Cookies::read(&metadata, profile)?.access.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn cookies_are_found_in_whichever_field_they_come() {
        let own = "__Host-countersign-access=t";
        for fields in [
            &[own][..],
            &["a=b", own][..],
            &["a=b; __Host-countersign-access=t; c=d"][..],
            &["a=b;__Host-countersign-access=t"][..],
            &["a", "=", ";;", own][..],
        ] {
            assert_eq!(access(fields, CookieProfile::SameSite), Ok(Some("t".to_owned())), "{fields:?}");
        }
        for fields in [
            &[][..],
            &["x__Host-countersign-access=t"][..],
            &["__host-countersign-access=t"][..],
            &["__Host-countersign-access="][..],
        ] {
            assert_eq!(access(fields, CookieProfile::SameSite), Ok(None), "{fields:?}");
        }
    }

    #[test]
    fn two_of_one_name_are_refused_and_the_other_profile_is_not_looked_at() {
        let (own, other) = ("__Host-countersign-access=t", "__Host-countersign-x-access=u");
        assert_eq!(access(&[own, own], CookieProfile::SameSite), Err(Duplicate));
        assert_eq!(
            access(&["__Host-countersign-access=t; __Host-countersign-access=u"], CookieProfile::SameSite),
            Err(Duplicate)
        );
        assert_eq!(access(&[own, other], CookieProfile::SameSite), Ok(Some("t".to_owned())));
        assert_eq!(access(&[own, other], CookieProfile::CrossSite), Ok(Some("u".to_owned())));
        assert_eq!(access(&[own], CookieProfile::CrossSite), Ok(None));
    }

    #[test]
    fn other_services_see_other_cookies() {
        let mut metadata = MetadataMap::new();
        for field in ["a=b; __Host-countersign-refresh=r;c=d", "__Host-countersign-x-access=t", "e", " "] {
            metadata.append("cookie", field.parse().unwrap());
        }
        assert!(are_ours_there(&metadata));
        assert_eq!(without_ours(&metadata), "a=b; c=d; e");
        metadata.remove("cookie");
        assert!(!are_ours_there(&metadata));
        assert_eq!(without_ours(&metadata), "");
    }

    #[test]
    fn a_cookie_is_deleted_with_the_attributes_it_was_set_with() {
        for profile in [CookieProfile::SameSite, CookieProfile::CrossSite] {
            let (mut set_ones, mut deleted) = (MetadataMap::new(), MetadataMap::new());
            set(&mut set_ones, profile, "a", "r", Duration::from_mins(1));
            delete(&mut deleted, profile);
            let lines = |metadata: &MetadataMap| -> Vec<String> {
                metadata.get_all("set-cookie").iter().map(|line| line.to_str().unwrap().to_owned()).collect()
            };
            let expected: Vec<_> = lines(&set_ones)
                .iter()
                .map(|line| line.replace("=a;", "=;").replace("=r;", "=;").replace("Max-Age=60", "Max-Age=0"))
                .collect();
            assert_eq!(lines(&deleted), expected);
            assert_eq!(expected.len(), 2);
        }
    }
}
