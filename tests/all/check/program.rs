//! A program behind the URL as others write them: it checks as it should, and its answers are its own.

use super::fake::{Fake, Reply, Request};
use crate::signer::{Keys, Mode, now};
use wxops::domain::account::{self, Access, AesKey, Official};
use wxops::domain::secret::Secret;
use wxops::wire::push;
use wxops::wire::reason::Reason;

/// How it is set, and how it answers.
#[derive(Clone)]
pub struct Program {
    pub keys: Keys,
    pub mode: Mode,
    /// Whether it has the key.
    pub key: bool,
    /// Whether it compares the original id.
    pub original_id: bool,
    /// What it makes of an echostr.
    pub echo: fn(&str) -> Reply,
    /// What it answers to a push that it takes.
    pub receipt: Reply,
    /// What it answers to what it refuses.
    pub refusal: fn(Reason) -> Reply,
}

impl Default for Program {
    /// As wxops: in secure mode, every refusal the same.
    fn default() -> Self {
        Program {
            keys: Keys::default(),
            mode: Mode::Secure,
            key: true,
            original_id: true,
            echo: |echostr| Reply::text(200, echostr),
            receipt: Reply::text(200, "success"),
            refusal: |_| Reply::status(403),
        }
    }
}

/// One that says what it did not like.
pub fn talkative(reason: Reason) -> Reply {
    match reason {
        Reason::MissingParameter => Reply::text(400, "Required request parameter 'signature' is not present"),
        Reason::Signature | Reason::MsgSignature => Reply::text(403, "illegal request"),
        Reason::Decrypt | Reason::NoKey => Reply::text(500, "javax.crypto.BadPaddingException at 12:00:07.123"),
        _ => Reply::text(403, "not for us"),
    }
}

impl Program {
    pub async fn start(self) -> Fake {
        Fake::start(move |request| self.answer(request)).await
    }

    pub fn answer(&self, request: &Request) -> Reply {
        let official = self.official();
        if request.is_get() {
            return match push::handshake(&official, &request.query, now(), None) {
                Ok(echostr) => (self.echo)(&echostr),
                Err(refusal) => (self.refusal)(refusal.reason),
            };
        }
        match push::accept(&official, &request.query, &request.body, now(), None) {
            Ok(_) => self.receipt.clone(),
            Err(refusal) => (self.refusal)(refusal.reason),
        }
    }

    fn official(&self) -> Official {
        Official {
            access: Access::new(account::Platform::Official, "main", &self.keys.app_id, ""),
            tokens: vec![Secret::new(self.keys.token.clone())],
            aes_keys: self.key.then(|| AesKey::parse(&self.keys.aes_key).unwrap()).into_iter().collect(),
            mode: match self.mode {
                Mode::Plain => account::Mode::Plain,
                Mode::Compat => account::Mode::Compat,
                Mode::Secure => account::Mode::Secure,
            },
            original_id: self.original_id.then(|| self.keys.original_id.clone()),
            replies: Default::default(),
        }
    }
}
