//! Mail that tests read.

use std::sync::Mutex;

use countersign::mail::{Mail, Mailer, Sending};

#[derive(Default)]
pub struct CapturedMail(Mutex<Vec<Mail>>);

impl Mailer for CapturedMail {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        self.0.lock().unwrap().push(mail.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

impl CapturedMail {
    /// Each letter as `address: subject`.
    pub fn sent(&self) -> Vec<String> {
        let mails = self.0.lock().unwrap();
        mails.iter().map(|mail| format!("{}: {}", mail.to, mail.content.subject)).collect()
    }

    /// The text of the last letter to an address with this subject.
    pub fn last(&self, to: &str, subject: &str) -> Option<String> {
        let mails = self.0.lock().unwrap();
        let mail = mails.iter().rev().find(|mail| mail.to.as_str() == to && mail.content.subject == subject);
        mail.map(|mail| mail.content.text.clone())
    }
}
