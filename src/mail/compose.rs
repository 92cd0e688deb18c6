//! A letter as it goes over the wire: the same bytes each time it is sent, and no header that anybody else chose but `To`.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, Message,
    address::AddressError,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{Mail, MailError, Sender};
use crate::domain::Email;

/// Puts a letter together.
///
/// # Errors
/// When it is not one that could be sent, which no later try changes.
pub(super) fn message(mail: &Mail, from: &Sender) -> Result<Vec<u8>, MailError> {
    let refused = |_| MailError::Refused { why: "the address cannot be written to".to_owned() };
    let name = (!from.name.is_empty()).then(|| from.name.clone());
    let sent = Duration::from_millis(u64::try_from(mail.at.unix_millis()).unwrap_or(0));
    let words = MultiPart::alternative()
        .boundary(mail.id.to_string())
        .singlepart(SinglePart::plain(mail.content.text.clone()))
        .singlepart(SinglePart::html(mail.content.html.clone()));
    let message = Message::builder()
        .from(Mailbox::new(name, address(&from.email).map_err(refused)?))
        .to(Mailbox::new(None, address(&mail.to).map_err(refused)?))
        .subject(mail.content.subject.clone())
        .date(SystemTime::UNIX_EPOCH + sent)
        // Who gets a letter twice has a program that knows it by this, and shows it once.
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.ascii_domain())))
        // RFC 3834: nobody's absence note comes back.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(words);
    message.map(|message| message.formatted()).map_err(|_| MailError::Refused { why: "it is no letter".to_owned() })
}

/// An address as SMTP has it everywhere: in ASCII.
pub(super) fn address(email: &Email) -> Result<Address, AddressError> {
    Address::new(email.local_part(), email.ascii_domain())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{LetterId, Timestamp},
        mail::Rendered,
    };

    fn composed(to: &str, subject: &str, text: &str) -> String {
        let at = Timestamp::from_unix_millis(1_800_000_000_123);
        let content = Rendered { subject: subject.to_owned(), text: text.to_owned(), html: "<p>ä</p>\n".to_owned() };
        let mail = Mail { id: LetterId::new(at, [7; 10]), at, to: to.parse().unwrap(), content };
        let from = "Müller & Söhne <No-Reply@bücher.example>".parse().unwrap();
        String::from_utf8(message(&mail, &from).unwrap()).unwrap()
    }

    #[test]
    fn a_letter_is_the_same_bytes_each_time() {
        let letter = composed("Ada@bücher.example", "Bestätigen Sie", "Grüße\nund mehr\n");
        assert_eq!(letter, composed("Ada@bücher.example", "Bestätigen Sie", "Grüße\nund mehr\n"));
        assert!(letter.is_ascii(), "every server takes it: {letter}");
        assert_eq!(letter.matches('\n').count(), letter.matches("\r\n").count(), "{letter:?}");
        insta::assert_snapshot!(letter.replace('\r', ""), @r#"
        From: =?utf-8?b?TcO8bGxlciAmIFPDtmhuZQ==?= <No-Reply@xn--bcher-kva.example>
        To: Ada@xn--bcher-kva.example
        Subject: =?utf-8?b?QmVzdMOkdGlnZW4=?= Sie
        Date: Fri, 15 Jan 2027 08:00:00 +0000
        Message-ID: <01a3185c-507b-7707-8707-070707070707@xn--bcher-kva.example>
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: multipart/alternative;
         boundary="01a3185c-507b-7707-8707-070707070707"

        --01a3185c-507b-7707-8707-070707070707
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: base64

        R3LDvMOfZQ0KdW5kIG1laHINCg==
        --01a3185c-507b-7707-8707-070707070707
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        <p>=C3=A4</p>

        --01a3185c-507b-7707-8707-070707070707--
        "#);
    }

    #[test]
    fn a_subject_stays_one_header() {
        let letter = composed("ada@example.com", "Hello\r\nBcc: eve@example.com\r\n\r\nand", "text");
        assert!(!letter.contains("\nBcc"), "{letter}");
    }

    proptest! {
        #[test]
        fn every_address_is_one_that_mail_can_be_sent_to(text in "[!-~]{1,20}@[a-zA-Z0-9äßб.-]{1,30}\\.[a-z]{2,8}") {
            if let Ok(email) = text.parse::<Email>() {
                let address = address(&email).unwrap();
                prop_assert!(address.to_string().is_ascii());
                prop_assert_eq!(address.to_string().matches('@').count(), 1);
                prop_assert_eq!(address.to_string().to_ascii_lowercase(), email.key());
            }
        }
    }
}
