//! What is sent: the platform's GET and POST (reference 1.1, 1.2), honest or forged.
//!
//! The message of every POST is one VIEW event, which says that somebody opened the link of a menu. Of the
//! documented pushes it is the most harmless: it makes no follower and ends none, its reply is shown to nobody,
//! and every server meets it daily where there is a menu. Its openid names this command and belongs to nobody.

use crate::domain::account::{AesKey, Mode, Official};
use crate::domain::secret::Secret;
use crate::domain::veil::Veil;
use crate::wire::envelope;
use crate::wire::signature::sign;
use crate::wire::write::{Document, sealed_push};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Whom the message comes from: 28 letters, as an openid has.
pub const OPENID: &str = "oWXOPS_callback_check_nobody";
/// The link that was opened; `.invalid` leads nowhere.
const LINK: &str = "https://callback-check.invalid/";
/// ToUserName where the account's original id is not configured.
const NO_ORIGINAL_ID: &str = "gh_000000000000";

/// One request.
pub struct Letter {
    /// The parameters behind the URL's own.
    pub query: Vec<(&'static str, String)>,
    /// The body of a POST; a GET has none.
    pub body: Option<String>,
    hidden: Vec<Secret>,
}

impl Letter {
    /// A letter of these parameters and body; what is `hidden` is shown in no answer.
    pub fn new(query: Vec<(&'static str, String)>, body: Option<String>, hidden: Vec<Secret>) -> Self {
        Letter { query, body, hidden }
    }

    /// A text from outside without what must not be shown: a server may quote its query, or its settings.
    pub fn mask(&self, text: &str) -> String {
        Veil::over(&self.hidden).hide(text).into_owned()
    }
}

/// How a push is dressed.
#[derive(Clone, Copy)]
pub enum Dress<'a> {
    /// Clear XML.
    Clear,
    /// Clear fields and Encrypt.
    Both(&'a AesKey),
    /// Encrypt only.
    Sealed(&'a AesKey),
}

impl<'a> Dress<'a> {
    /// How a mode dresses a push that is sealed with this key.
    pub fn of(mode: Mode, key: Option<&'a AesKey>) -> Self {
        match (mode, key) {
            (Mode::Plain, _) | (_, None) => Dress::Clear,
            (Mode::Compat, Some(key)) => Dress::Both(key),
            (Mode::Secure, Some(key)) => Dress::Sealed(key),
        }
    }
}

/// Who writes the letters of one run.
pub struct Writer<'a> {
    account: &'a Official,
    now: i64,
}

impl<'a> Writer<'a> {
    /// Writes as the platform would to this account; `now` is seconds.
    pub fn new(account: &'a Official, now: i64) -> Self {
        Writer { account, now }
    }

    /// The GET of the console.
    pub fn check(&self, token: &Secret, echostr: &str) -> Letter {
        let mut letter = self.signed(token, None);
        letter.query.push(("echostr", echostr.to_owned()));
        letter
    }

    /// The POST of a push.
    pub fn push(&self, token: &Secret, dress: Dress<'_>) -> Letter {
        let (encrypt, body) = match dress {
            Dress::Clear => (None, self.message().finish()),
            Dress::Both(key) => {
                let encrypt = self.seal(key);
                let body = self.message().text("Encrypt", &encrypt).finish();
                (Some(encrypt), body)
            }
            Dress::Sealed(key) => {
                let encrypt = self.seal(key);
                let body = sealed_push(self.to_user(), &encrypt);
                (Some(encrypt), body)
            }
        };
        let mut letter = self.signed(token, encrypt.as_deref());
        letter.query.push(("openid", OPENID.to_owned()));
        letter.body = Some(body);
        letter
    }

    fn seal(&self, key: &AesKey) -> String {
        envelope::seal(key, &self.account.app_id, &rand::random(), &self.message().finish())
    }

    /// The same in every letter of a run, so that a server which knows duplicates keeps one.
    fn message(&self) -> Document {
        Document::new()
            .text("ToUserName", self.to_user())
            .text("FromUserName", OPENID)
            .number("CreateTime", self.now)
            .text("MsgType", "event")
            .text("Event", "VIEW")
            .text("EventKey", LINK)
    }

    fn to_user(&self) -> &str {
        self.account.original_id.as_deref().unwrap_or(NO_ORIGINAL_ID)
    }

    fn signed(&self, token: &Secret, encrypt: Option<&str>) -> Letter {
        let (timestamp, nonce) = (self.now.to_string(), rand::random_range(100_000_000..2_000_000_000_u32).to_string());
        let signature = sign(token, &[&timestamp, &nonce]);
        let mut hidden = vec![Secret::new(&*signature), token.clone()];
        hidden.extend(self.account.secrets());
        let mut query = vec![("signature", signature), ("timestamp", timestamp.clone()), ("nonce", nonce.clone())];
        if let Some(encrypt) = encrypt {
            let msg_signature = sign(token, &[&timestamp, &nonce, encrypt]);
            hidden.push(Secret::new(&*msg_signature));
            query.extend([("encrypt_type", "aes".to_owned()), ("msg_signature", msg_signature)]);
        }
        Letter { query, body: None, hidden }
    }
}

/// A GET without any query.
pub fn bare() -> Letter {
    Letter { query: Vec::new(), body: None, hidden: Vec::new() }
}

/// An echostr as the platform makes them: 19 digits.
pub fn echostr() -> String {
    rand::random_range(1_000_000_000_000_000_000..=9_223_372_036_854_775_807_u64).to_string()
}

/// A token that nobody has.
pub fn nobodys_token() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}

/// A key that nobody has.
pub fn nobodys_key() -> AesKey {
    AesKey::parse(&STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>())).expect("32 bytes are 43 letters of base64")
}
