//! What is sent to a WeCom application: the platform's GET and POST (WeCom reference 5), honest or forged. The message is
//! one view event, which changes nothing anywhere; its userid names this command and belongs to nobody.

use super::letter::Letter;
use crate::domain::account::WeCom;
use crate::domain::secret::Secret;
use crate::wire::envelope;
use crate::wire::signature::sign;
use crate::wire::write::{Document, sealed_wecom};

/// Whom the message comes from.
pub const USERID: &str = "wxops_callback_check_nobody";
/// The link that was opened; `.invalid` leads nowhere.
const LINK: &str = "https://callback-check.invalid/";

/// Who writes the letters of one run.
pub struct Writer<'a> {
    account: &'a WeCom,
    now: i64,
}

impl<'a> Writer<'a> {
    /// Writes as the platform would to this application; `now` is seconds.
    pub fn new(account: &'a WeCom, now: i64) -> Self {
        Writer { account, now }
    }

    /// The GET of the console, signed with the application's Token or another.
    pub fn check(&self, token: Option<&Secret>, echostr: &str) -> Letter {
        let sealed = self.seal(echostr);
        let (mut query, hidden) = self.signed(token, &sealed);
        query.push(("echostr", sealed));
        Letter::new(query, None, hidden)
    }

    /// The POST of a push.
    pub fn push(&self, token: Option<&Secret>) -> Letter {
        let sealed = self.seal(&self.message());
        let (query, hidden) = self.signed(token, &sealed);
        let body = sealed_wecom(&self.account.app_id, self.account.agent_id, &sealed);
        Letter::new(query, Some(body), hidden)
    }

    /// The same in clear, which the platform never sends; with a signature that covers nothing of it.
    pub fn clear(&self) -> Letter {
        let (query, hidden) = self.signed(None, "");
        Letter::new(query, Some(self.message()), hidden)
    }

    fn seal(&self, text: &str) -> String {
        let key = self.account.aes_keys.first();
        key.map(|key| envelope::seal(key, &self.account.app_id, &rand::random(), text)).unwrap_or_default()
    }

    /// The same in every letter of a run, so that a server which knows duplicates keeps one.
    fn message(&self) -> String {
        let document = Document::new()
            .text("ToUserName", &self.account.app_id)
            .text("FromUserName", USERID)
            .number("CreateTime", self.now)
            .text("MsgType", "event")
            .text("Event", "view")
            .text("EventKey", LINK);
        match self.account.agent_id {
            Some(agent) => document.number("AgentID", agent).finish(),
            None => document.finish(),
        }
    }

    fn signed(&self, token: Option<&Secret>, sealed: &str) -> (Vec<(&'static str, String)>, Vec<Secret>) {
        let (timestamp, nonce) = (self.now.to_string(), rand::random_range(100_000_000..2_000_000_000_u32).to_string());
        let token = token.or(self.account.tokens.first());
        let signature = token.map(|token| sign(token, &[&timestamp, &nonce, sealed])).unwrap_or_default();
        let hidden = [Secret::new(&*signature)].into_iter().chain(self.account.secrets()).collect();
        (vec![("msg_signature", signature), ("timestamp", timestamp), ("nonce", nonce)], hidden)
    }
}
