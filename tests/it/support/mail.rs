//! Mail that tests read, and mailers that do not do what they should.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use countersign::mail::{Mail, MailError, Mailer, Sending};
use tokio::sync::Semaphore;

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

    /// Whom letters went to, in order.
    pub fn recipients(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|mail| mail.to.to_string()).collect()
    }
}

/// Does with a letter what its address says, and keeps those that it takes.
pub struct Moody {
    pub taken: CapturedMail,
    /// Takes nothing.
    is_shut: AtomicBool,
    tries: Mutex<Vec<String>>,
    /// What the letters to `slow…` wait for.
    pub gate: Semaphore,
}

impl Default for Moody {
    fn default() -> Self {
        let (taken, is_shut, tries) = (CapturedMail::default(), AtomicBool::default(), Mutex::default());
        Self { taken, is_shut, tries, gate: Semaphore::new(0) }
    }
}

impl Mailer for Moody {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        let to = mail.to.to_string();
        self.tries.lock().unwrap().push(to.clone());
        Box::pin(async move {
            let why = "it is in the mood for it".to_owned();
            if to.starts_with("slow") {
                self.gate.acquire().await.unwrap().forget();
            }
            match to.as_str() {
                to if to.starts_with("busy") || self.is_shut.load(Ordering::SeqCst) => {
                    Err(MailError::Postponed { why })
                }
                to if to.starts_with("absent") => Err(MailError::Refused { why }),
                _ => self.taken.send(mail).await,
            }
        })
    }
}

impl Moody {
    pub fn shut(&self, is_shut: bool) {
        self.is_shut.store(is_shut, Ordering::SeqCst);
    }

    /// How often a letter to an address was tried.
    pub fn tries(&self, address: &str) -> usize {
        self.tries.lock().unwrap().iter().filter(|to| *to == address).count()
    }
}
