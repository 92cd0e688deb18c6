//! The letters that come with the program, in `src/mail/letters`.

macro_rules! built_in {
    ($name:literal) => {
        ($name, include_str!(concat!("../letters/", $name)))
    };
}

/// How a letter looks that has no HTML of its own.
pub(super) const LAYOUT: &str = "letter.html";

/// Every file, by its name.
pub(super) const BUILT_IN: &[(&str, &str)] = &[
    built_in!("letter.html"),
    built_in!("sign_up_repeated.en.txt"),
    built_in!("sign_up_repeated.de.txt"),
    built_in!("session_ended.en.txt"),
    built_in!("session_ended.de.txt"),
    built_in!("verification.en.txt"),
    built_in!("verification.de.txt"),
    built_in!("password_reset.en.txt"),
    built_in!("password_reset.de.txt"),
    built_in!("email_change.en.txt"),
    built_in!("email_change.de.txt"),
    built_in!("email_change_requested.en.txt"),
    built_in!("email_change_requested.de.txt"),
    built_in!("email_changed.en.txt"),
    built_in!("email_changed.de.txt"),
    built_in!("password_changed.en.txt"),
    built_in!("password_changed.de.txt"),
    built_in!("new_device.en.txt"),
    built_in!("new_device.de.txt"),
    built_in!("deletion_scheduled.en.txt"),
    built_in!("deletion_scheduled.de.txt"),
    built_in!("account_deleted.en.txt"),
    built_in!("account_deleted.de.txt"),
];
