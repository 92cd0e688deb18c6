//! What the server finds out about a request before anybody reads it.

use std::{fmt, str, sync::Arc};

use tokio::time::Instant;
use tonic::codegen::http::Extensions;

use crate::domain::Device;

/// When a request came, what it is called, and from whom it is. The server puts it into the request.
#[derive(Debug)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// What it is called.
    pub id: RequestId,
    /// From whom it is.
    pub device: Device,
}

impl Arrival {
    /// That of a request.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get()
    }
}

/// The id that a request has in the log, in 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 2 * size_of::<u128>()]);

impl RequestId {
    /// Writes an id.
    #[must_use]
    pub fn new(id: u128) -> Self {
        let mut digits = [0; 2 * size_of::<u128>()];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(id.to_be_bytes()) {
            *pair = [byte >> 4, byte & 0xf].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        }
        Self(digits)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_written_in_hexadecimal(id: u128) {
            let written = RequestId::new(id);
            prop_assert_eq!(written.as_str(), format!("{id:032x}"));
        }
    }
}
