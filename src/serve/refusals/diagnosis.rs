//! What a refusal proves, pure: signatures and keys of ours that fit, and how several cases agree.

use super::Refused;
use crate::domain::account::Official;
use crate::wire::cause::Cause;
use crate::wire::query::Query;
use crate::wire::reason::Reason;
use crate::wire::{envelope, push, signature, xml};
use std::collections::HashMap;
use std::sync::Arc;

/// So many different requests agree before a pattern is one.
const AGREE: usize = 3;
/// Requests of a pattern that are remembered.
const REMEMBERED: usize = 8;
/// Clocks that differ by no more agree, seconds.
const SPREAD: u64 = 60;
/// A request whose time is further off is no fresh one of the platform, seconds.
const FRESH: u64 = 86_400;
/// After a callback was accepted, others that look like a changed console are more likely forgeries; and so long are
/// clocks compared; seconds.
const QUIET: u32 = 600;
/// A push with a right time proves our clock for so long, seconds.
const TIMELY: u32 = 60;

/// What was seen of other callbacks.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// By account: the nonces of requests that another Token signed, and how many there were since the start.
    other_token: HashMap<String, (Vec<String>, usize)>,
    /// Different pushes whose time was off, newest last.
    clocks: Vec<Off>,
}

/// A push whose time was off.
#[derive(Debug)]
struct Off {
    /// Tells it from others.
    mark: String,
    /// Our clock minus the platform's, seconds.
    skew: i64,
    /// When, by our clock, seconds.
    at: i64,
}

impl Patterns {
    /// A push that comes at `now` with a timestamp that is off by `skew` seconds; `mark` tells it from others. Proves a
    /// wrong clock of ours when several agree and none is right.
    pub fn skewed(&mut self, mark: &str, skew: i64, now: i64, since_timely: Option<u32>) -> Option<Cause> {
        self.clocks.retain(|off| now.abs_diff(off.at) <= QUIET.into());
        if !self.clocks.iter().any(|off| off.mark == mark) {
            if self.clocks.len() == REMEMBERED {
                self.clocks.remove(0);
            }
            self.clocks.push(Off { mark: mark.to_owned(), skew, at: now });
        }
        if since_timely.is_some_and(|seconds| seconds < TIMELY) {
            self.clocks.clear();
            return None;
        }
        let agree = self.clocks.iter().filter(|off| off.skew.abs_diff(skew) <= SPREAD).count();
        (agree >= AGREE).then_some(Cause::Clock(Some((skew, agree))))
    }

    /// A request of the account that none of its Tokens signed, when none was accepted since the start.
    fn unsigned(&mut self, account: &str, query: &Query<'_>) -> Option<Cause> {
        let (nonces, count) = self.other_token.entry(account.to_owned()).or_default();
        *count += 1;
        if nonces.len() < AGREE && !nonces.iter().any(|known| *known == query.nonce) {
            nonces.push(query.nonce.to_string());
        }
        (nonces.len() >= AGREE).then_some(Cause::TokenDiffers(Some(*count)))
    }

    /// What a refusal proves, at `now` (seconds since 1970). `since_accepted` and `since_timely`: seconds since a
    /// callback of the account was accepted, and since any had a right timestamp.
    pub fn prove(
        &mut self,
        refused: &Refused,
        accounts: &[Arc<Official>],
        now: i64,
        since_accepted: Option<u32>,
        since_timely: Option<u32>,
    ) -> Option<Cause> {
        let account = accounts.iter().find(|account| account.name == refused.account)?;
        let query = Query::read(&refused.query).ok()?;
        let sight = Sight { account, others: accounts, query: &query, body: &refused.body };
        let quiet = since_accepted.is_none_or(|seconds| seconds > QUIET);
        match refused.refusal.reason {
            Reason::Signature => sight.of_another().or_else(|| sight.sealed_by_console()).or_else(|| {
                let fresh = query.signature.len() == 40 && now.abs_diff(query.seconds) < FRESH;
                (fresh && since_accepted.is_none()).then(|| self.unsigned(&account.name, &query))?
            }),
            Reason::Stale => self.skewed(&query.nonce, now.saturating_sub(query.seconds), now, since_timely),
            Reason::NoKey => (quiet && sight.encrypt().is_some()).then_some(Cause::ConsoleEncrypts),
            Reason::Downgrade => (quiet && sight.is_clear_push()).then_some(Cause::ConsoleClear),
            Reason::Decrypt => sight.opened_by_another(),
            Reason::Appid => sight.opened_by_another().or_else(|| sight.foreign_app_id()),
            Reason::ForeignAccount if refused.refusal.signed => sight.original_id(),
            _ => None,
        }
    }
}

/// One request beside the accounts.
struct Sight<'a> {
    account: &'a Official,
    others: &'a [Arc<Official>],
    query: &'a Query<'a>,
    body: &'a [u8],
}

impl Sight<'_> {
    fn others(&self) -> impl Iterator<Item = &Official> {
        self.others.iter().map(AsRef::as_ref).filter(|other| other.name != self.account.name)
    }

    /// The account of ours whose Token signed it.
    fn of_another(&self) -> Option<Cause> {
        let parts = [&*self.query.timestamp, &*self.query.nonce];
        let signed = |other: &&Official| signature::find(&other.tokens, &parts, &self.query.signature).is_some();
        self.others().find(signed).map(|other| Cause::OtherAccount(Some(other.name.clone())))
    }

    /// Whoever has our key and our AppID is the console, whatever the Token.
    fn sealed_by_console(&self) -> Option<Cause> {
        self.opened(self.account).map(|_| Cause::TokenChanged)
    }

    /// The account of ours whose key and AppID open it.
    fn opened_by_another(&self) -> Option<Cause> {
        let opened = |other: &&Official| self.opened(other).is_some();
        self.others().find(opened).map(|other| Cause::OtherAccount(Some(other.name.clone())))
    }

    fn opened(&self, account: &Official) -> Option<String> {
        let encrypt = self.encrypt()?;
        account.aes_keys.iter().find_map(|key| envelope::open(key, &account.app_id, &encrypt).ok())
    }

    /// An AppID that is nobody's here.
    fn foreign_app_id(&self) -> Option<Cause> {
        let encrypt = self.encrypt()?;
        let told = self.account.aes_keys.iter().find_map(|key| envelope::app_id(key, &encrypt));
        told.map(|app_id| Cause::OtherAppid(Some(app_id)))
    }

    /// Whom the message is for.
    fn original_id(&self) -> Option<Cause> {
        let to_user = push::read(&self.opened(self.account)?).ok()?.to_user;
        let another = self.others().find(|other| other.original_id.as_ref() == Some(&to_user));
        let plain = !to_user.is_empty() && to_user.len() <= 32 && to_user.bytes().all(|b| b.is_ascii_graphic());
        match another {
            Some(other) => Some(Cause::OtherAccount(Some(other.name.clone()))),
            None => plain.then_some(Cause::OriginalId(Some(to_user))),
        }
    }

    fn encrypt(&self) -> Option<String> {
        xml::parse(self.body).ok()?.text_of("Encrypt").map(str::to_owned)
    }

    /// A push as the console sends it in plain mode.
    fn is_clear_push(&self) -> bool {
        let clear = matches!(self.query.encrypt_type.as_deref(), None | Some("raw"));
        let event = std::str::from_utf8(self.body).ok().and_then(|body| push::read(body).ok());
        let ours = |event: &crate::domain::event::Event| {
            self.account.original_id.as_ref().is_none_or(|id| *id == event.to_user)
        };
        clear && self.encrypt().is_none() && event.as_ref().is_some_and(ours)
    }
}
