//! How a moment is written in a message: in milliseconds since 1970.

use serde::{Deserialize, Deserializer, Serializer};

use crate::domain::Timestamp;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it writes by reference")]
pub(super) fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(moment.unix_millis())
}

pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Timestamp, D::Error> {
    i64::deserialize(deserializer).map(Timestamp::from_unix_millis)
}
