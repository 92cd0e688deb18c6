//! Mail that tests read.

use std::sync::Mutex;

use countersign::mail::{Mail, Mailer};

#[derive(Default)]
pub struct CapturedMail(Mutex<Vec<Mail>>);

impl Mailer for CapturedMail {
    fn send(&self, mail: &Mail) {
        self.0.lock().unwrap().push(mail.clone());
    }
}

impl CapturedMail {
    /// Each letter as `address: subject`.
    pub fn sent(&self) -> Vec<String> {
        let mails = self.0.lock().unwrap();
        mails.iter().map(|mail| format!("{}: {}", mail.to, mail.notice.subject())).collect()
    }
}
