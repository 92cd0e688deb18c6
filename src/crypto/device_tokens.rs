//! Device tokens: signed, so that nobody chooses what their device is known as.

use aws_lc_rs::{constant_time, hmac};

use super::MasterKeys;
use crate::domain::{DeviceId, DeviceToken, DeviceTokenParts};

/// Makes and reads device tokens.
#[derive(Debug, Clone)]
pub struct DeviceTokens {
    keys: MasterKeys,
}

impl DeviceTokens {
    /// Under the current master key; tokens of earlier ones are still good.
    #[must_use]
    pub fn new(keys: MasterKeys) -> Self {
        Self { keys }
    }

    /// The token of a device.
    #[must_use]
    pub fn make(&self, device: DeviceId) -> DeviceToken {
        let keys = self.keys.current();
        let tag = tag(&keys.devices, device);
        DeviceToken::from_parts(&DeviceTokenParts { key_version: keys.version(), device, tag })
    }

    /// Which device a token is of; `None` when it is not one of ours.
    #[must_use]
    pub fn read(&self, token: &DeviceToken) -> Option<DeviceId> {
        let parts = token.parts()?;
        let expected = tag(&self.keys.by_version(parts.key_version)?.devices, parts.device);
        constant_time::verify_slices_are_equal(&expected, &parts.tag).ok()?;
        Some(parts.device)
    }
}

fn tag(key: &hmac::Key, device: DeviceId) -> [u8; 32] {
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(key, device.as_bytes()).as_ref());
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    fn tokens(keys: &str) -> DeviceTokens {
        DeviceTokens::new(MasterKeys::parse(keys).unwrap())
    }

    #[test]
    fn only_what_was_signed_under_one_of_our_keys_is_a_device() {
        let device = DeviceId::from_bytes([1; 16]);
        let token = tokens(ONE).make(device);
        assert_eq!(tokens(ONE).read(&token), Some(device));
        assert_eq!(tokens(TWO).read(&token), None);
        assert_eq!(tokens(&format!("{TWO} {ONE}")).read(&token), Some(device));
        let parts = token.parts().unwrap();
        let chosen = DeviceTokenParts { device: DeviceId::from_bytes([2; 16]), ..parts };
        assert_eq!(tokens(ONE).read(&DeviceToken::from_parts(&chosen)), None);
    }
}
