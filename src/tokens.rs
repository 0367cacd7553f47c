//! The keeper of access_tokens: one refresh at a time across all processes of a database, no late answer
//! over a newer one (reference 3.3).

mod ask;
mod copies;
mod hold;
mod past;

pub use ask::{can_be_forced, fetch};
pub use hold::check as may_ask;
pub use past::{Verdict, verdicts};

use crate::cache::Cache;
use crate::domain::account::{Access, Platform, TokenApi};
use crate::domain::clock::Clock;
use crate::domain::secret::Secret;
use crate::domain::token::{Token, digest};
use crate::error::{Error, Kind, Result, Then};
use crate::platform::http::{Client, Pending, Refused, Tokens};
use crate::say;
use crate::store::{NewToken, Store, StoredToken, TokenRefusal};
use chrono::DateTime;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// stable_token and gettoken are asked again this long before the token's end: the platform renews it then (reference 3.2).
const RENEW_MS: i64 = 300_000;
/// How often they are asked in that time, by all processes together.
pub const ASK_EVERY: Duration = Duration::from_secs(20);
/// How long a process trusts what it read before it looks again: `token set` works at once.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long a token that the platform took counts as good: who says again and again that it was refused must not cost
/// a call each time.
const PROVED: Duration = Duration::from_secs(5);
/// force_refresh: the platform allows 20 a day.
const FORCED_A_DAY: i64 = 10;
/// How long to wait for a refresh that another process has in hand: its lease, and a little.
const PATIENCE: Duration = Duration::from_secs(40);
/// Asia/Shanghai, milliseconds ahead of UTC: the platform's day.
const SHANGHAI_MS: i64 = 8 * 3_600_000;
/// The token before a new one works for so long beside it (reference 3.1; WeCom reference 2).
const OVERLAP_MS: i64 = 300_000;
/// A token of /cgi-bin/token is renewed when a sixth of its life is left; where that is not known, of 7,200 s.
const LIFE_MS: i64 = 7_200_000;

/// Keeps the tokens of every account.
pub struct Keeper {
    store: Store,
    client: Arc<Client>,
    clock: Clock,
    who: String,
    /// Where copies for other programs are kept.
    cache: Option<Arc<Cache>>,
    accounts: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Held>>>>,
}

#[derive(Default)]
struct Held {
    token: Option<(Token, Instant)>,
    asked: Option<Instant>,
    /// The generation that the platform took when it was last asked, and when that was.
    proved: Option<(i64, Instant)>,
}

/// How a new token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal<'a> {
    /// Because the present one ends soon.
    Due,
    /// Because the one with this digest was refused.
    Refused(&'a str),
    /// Whatever the present one is.
    Force,
}

impl Keeper {
    /// A keeper over the table of a database.
    pub fn new(store: Store, client: Arc<Client>, clock: Clock) -> Self {
        let who = this_process();
        Keeper { store, client, clock, who, cache: None, accounts: Mutex::default() }
    }

    /// Sees to it that the stored token is not near its end; asks the platform only where it is. `force` makes a new one
    /// and kills the present one: at most once a minute and 10 times a day.
    pub async fn refresh(&self, account: &Access, force: bool) -> Result<Token> {
        let known = self.store.stored_token(&account.name).await?;
        if force {
            let generation = known.generation;
            return self.renew(account, Renewal::Force, |token| token.generation > generation).await;
        }
        self.renew(account, Renewal::Due, |token| !self.is_due(account, token)).await
    }

    /// The token for another system of the company, which has none yet.
    pub async fn give(&self, account: &Access) -> Result<Token> {
        self.token(account).await
    }

    /// Another system says that a token was refused whose digest begins so, and who it is. Where the present one is
    /// another, that is the answer. Else the platform is asked whether it really refuses it, and only then for a new one.
    pub async fn told(&self, account: &Access, beginning: &str, who: &str) -> Result<Token> {
        let cell = self.cell(&account.name);
        let mut held = cell.lock().await;
        let stored = self.store.stored_token(&account.name).await?;
        let is_it = |token: &Token| self.left(token.expires_at) > 0 && digest(&token.text).starts_with(beginning);
        let Some(token) = token_of(&stored).filter(is_it) else {
            // What this process read a moment ago may be the very one.
            held.token = None;
            drop(held);
            return self.token(account).await;
        };
        // Who holds it for us asks the platform, from an address that is listed there.
        if account.token_from.is_none() {
            let taken = |(generation, at): (i64, Instant)| generation == token.generation && at.elapsed() < PROVED;
            if held.proved.is_some_and(taken) {
                return Ok(token);
            }
            if ask::works(&self.client, account, &token).await? {
                held.proved = Some((token.generation, Instant::now()));
                return Ok(token);
            }
        }
        let why = Refused { api: "api/token".to_owned(), errcode: 0, rid: None };
        self.note(account, &token, &why, who).await;
        self.replace_held(&mut held, account, &token).await
    }

    /// This process, as it signs what it holds: host and process id.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Whether a token is so near its end that it is asked for again.
    pub fn is_due(&self, account: &Access, token: &Token) -> bool {
        self.left(token.expires_at) <= self.renewed_at(account, token.life_ms)
    }

    /// How much of its life is left when it is renewed, milliseconds.
    fn renewed_at(&self, account: &Access, life_ms: Option<i64>) -> i64 {
        match account.token_api {
            TokenApi::Legacy if account.token_from.is_none() => life_ms.unwrap_or(LIFE_MS) / 6,
            _ => RENEW_MS,
        }
    }

    /// The account's cell; its lock is the single flight within this process.
    fn cell(&self, account: &str) -> Arc<tokio::sync::Mutex<Held>> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(account.to_owned()).or_default().clone()
    }

    async fn token(&self, account: &Access) -> Result<Token> {
        let cell = self.cell(&account.name);
        let mut held = cell.lock().await;
        if let Some((token, read)) = &held.token
            && read.elapsed() < LOOK_AGAIN
            && !self.is_due(account, token)
        {
            return Ok(token.clone());
        }
        let stored = self.store.stored_token(&account.name).await?;
        let alive = token_of(&stored).filter(|token| self.left(token.expires_at) > 0);
        let asked_just_now = held.asked.is_some_and(|at| at.elapsed() < ASK_EVERY);
        if let Some(token) = alive.clone()
            && (!self.is_due(account, &token) || asked_just_now)
        {
            held.token = Some((token.clone(), Instant::now()));
            return Ok(token);
        }
        held.asked = Some(Instant::now());
        let renewed = self.renew(account, Renewal::Due, |token| !self.is_due(account, token));
        let token = match (renewed.await, alive) {
            (Ok(token), _) => token,
            (Err(error), Some(old)) => {
                tracing::warn!(account = account.name, %error, "the access_token could not be renewed, the old one still lives");
                old
            }
            (Err(error), None) => {
                held.asked = None;
                return Err(error);
            }
        };
        held.token = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    async fn replace(&self, account: &Access, used: &Token) -> Result<Token> {
        let cell = self.cell(&account.name);
        let mut held = cell.lock().await;
        self.replace_held(&mut held, account, used).await
    }

    /// The same with the account's lock in hand.
    async fn replace_held(&self, held: &mut Held, account: &Access, used: &Token) -> Result<Token> {
        let newer = |token: &Token| token.generation > used.generation;
        let stored = self.store.stored_token(&account.name).await?;
        let token = match token_of(&stored).filter(newer) {
            Some(token) => token,
            None => self.renew(account, Renewal::Refused(&digest(&used.text)), newer).await?,
        };
        let same = token.text.matches(used.text.reveal());
        let token = match same && can_be_forced(account) {
            true => self.force(account, used).await?,
            false => token,
        };
        held.token = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    /// The platform returned the very token that it refused: once a new one by force.
    async fn force(&self, account: &Access, used: &Token) -> Result<Token> {
        tracing::warn!(account = account.name, "the platform returned the token that it refused; forcing a new one");
        self.renew(account, Renewal::Force, |token| token.generation > used.generation).await
    }

    /// One refresh at a time across processes: whoever gets the lease asks, the others wait for a token
    /// that `serves`.
    async fn renew(&self, account: &Access, renewal: Renewal<'_>, serves: impl Fn(&Token) -> bool) -> Result<Token> {
        let name = format!("token:{}", account.name);
        let give_up = Instant::now() + PATIENCE;
        loop {
            let lease = self.store.acquire(&name, &self.who).await?;
            let stored = self.store.stored_token(&account.name).await?;
            match (lease, token_of(&stored).filter(|token| serves(token) || self.asked_lately(&stored, renewal))) {
                (lease, Some(token)) => {
                    if let Some(lease) = lease {
                        self.store.release(&lease).await?;
                    }
                    return Ok(token);
                }
                (Some(lease), None) => {
                    let asked = self.ask(account, &stored, renewal).await;
                    self.store.release(&lease).await?;
                    if asked.is_ok() {
                        self.copy(account).await;
                    }
                    return asked;
                }
                (None, None) if Instant::now() > give_up => {
                    return Err(Error::new(
                        Kind::Busy,
                        say!("another process refreshes the token of {name} and does not end"; "另一个进程正在刷新 {name} 且迟迟未结束"),
                    )
                    .then(Then::Pause { after: Duration::from_secs(5), whole_account: true }));
                }
                (None, None) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Whether the platform was asked so lately, by whichever process, that it would say the same: a token in its last
    /// minutes is asked for each 20 s.
    fn asked_lately(&self, stored: &StoredToken, renewal: Renewal<'_>) -> bool {
        let alive = stored.expires_at.is_some_and(|end| self.left(end) > 0);
        let since = self.clock.now_ms() - stored.asked_at;
        renewal == Renewal::Due && alive && (0..ASK_EVERY.as_millis() as i64).contains(&since)
    }

    /// The call itself, with the lease in hand.
    async fn ask(&self, account: &Access, stored: &StoredToken, renewal: Renewal<'_>) -> Result<Token> {
        let now = self.clock.now_ms();
        hold::check(account, stored.hold.as_ref(), now)?;
        if renewal == Renewal::Force && can_be_forced(account) {
            self.count_force(account).await?;
        }
        self.store.token_asked(&account.name, now).await?;
        let fresh = match ask::renewed(&self.client, account, renewal).await {
            Ok(fresh) => fresh,
            Err(error) => {
                if let Some(hold) = hold::of(account, &error, self.clock.now_ms()) {
                    self.store.hold_token(&account.name, &hold).await?;
                }
                // WeCom has no quota of the day: its 45009 is an address that is blocked.
                if error.errcode == Some(45009) && account.platform != Platform::WeCom {
                    let (name, api, rid) = (&account.name, account.token_api.as_str(), error.rid.as_deref());
                    self.store.note_refusal(name, api, 45009, rid, now, &self.who).await?;
                }
                return Err(error);
            }
        };
        let life_ms = i64::from(fresh.expires_in) * 1000;
        let expires_at = self.clock.now_ms() + life_ms;
        if let Some(old) = &stored.token
            && old.matches(fresh.text.reveal())
        {
            self.store.correct_expiry(&account.name, stored.generation, expires_at).await?;
            let (generation, life_ms) = (stored.generation, stored.life_ms);
            return Ok(Token { text: fresh.text, generation, expires_at, life_ms });
        }
        let new = NewToken {
            text: &fresh.text,
            expires_at: Some(expires_at),
            life_ms: Some(life_ms),
            overlap_ms: if renewal == Renewal::Due { OVERLAP_MS } else { 0 },
            source: ask::source(account, renewal),
            who: &self.who,
            now_ms: self.clock.now_ms(),
        };
        self.put(account, stored, new).await
    }

    /// Counts a force_refresh in SQL before it is asked for; refuses what would be too much.
    async fn count_force(&self, account: &Access) -> Result<()> {
        let now = self.clock.now_ms();
        let day = (now + SHANGHAI_MS).div_euclid(86_400_000);
        if self.store.count_forced(&account.name, now, day, FORCED_A_DAY).await? {
            return Ok(());
        }
        let name = &account.name;
        Err(Error::new(
            Kind::Refused,
            say!(
                "account {name}: no token is forced now (once a minute, 10 a day)";
                "账号 {name}：现在不能强制刷新 token（每分钟 1 次、每天 10 次）"
            ),
        )
        .next(say!(
            "wait a minute; where tokens are refused again and again, wxops token blame tells who replaces them";
            "请等一分钟；若 token 反复被拒，可用 wxops token blame 查看是谁在更换它"
        ))
        .then(Then::Pause { after: Duration::from_secs(60), whole_account: true }))
    }

    async fn put(&self, account: &Access, stored: &StoredToken, new: NewToken<'_>) -> Result<Token> {
        if self.store.store_token(&account.name, stored.generation, &new).await? {
            let generation = stored.generation + 1;
            tracing::info!(account = account.name, generation, "stored a new access_token");
            let expires_at = new.expires_at.unwrap_or(Token::UNKNOWN_EXPIRY);
            return Ok(Token { text: new.text.clone(), generation, expires_at, life_ms: new.life_ms });
        }
        // Somebody stored another meanwhile: that one is newer than ours.
        let newer = self.store.stored_token(&account.name).await?;
        token_of(&newer).ok_or_else(|| Error::failed(say!("the token was cleared meanwhile"; "token 已被清除")))
    }

    /// Stores a token that a person brings; its end is unknown, it is trusted until refused. An account that
    /// rests because of its token is tried at once.
    pub async fn set(&self, account: &Access, text: Secret) -> Result<Token> {
        let stored = self.store.stored_token(&account.name).await?;
        let new = NewToken {
            text: &text,
            expires_at: None,
            life_ms: None,
            overlap_ms: 0,
            source: "token set",
            who: &self.who,
            now_ms: self.clock.now_ms(),
        };
        let token = self.put(account, &stored, new).await?;
        self.copy(account).await;
        self.store.probe_at_once(&account.name).await?;
        Ok(token)
    }

    /// Forgets the token: the next call asks for one.
    pub async fn clear(&self, account: &Access) -> Result<bool> {
        let stored = self.store.stored_token(&account.name).await?;
        if stored.token.is_none() {
            return Ok(false);
        }
        let cleared = self.store.forget_token(&account.name, stored.generation, "token clear").await?;
        self.copy(account).await;
        Ok(cleared)
    }

    /// A person says that the platform may be asked again, whatever it forbade; true where it had.
    pub async fn end_hold(&self, account: &Access) -> Result<bool> {
        let held = self.store.release_token(&account.name).await?;
        self.store.probe_at_once(&account.name).await?;
        Ok(held)
    }

    /// Notes for `token blame` that a token was refused. What can't be noted is no reason to fail the call.
    async fn note(&self, account: &Access, used: &Token, why: &Refused, who: &str) {
        let refusal = TokenRefusal {
            at: DateTime::from_timestamp_millis(self.clock.now_ms()).unwrap_or_default(),
            code: (why.errcode != 0).then_some(why.errcode),
            api: why.api.clone(),
            rid: why.rid.clone(),
            who: who.to_owned(),
        };
        if let Err(error) = self.store.token_refused(&account.name, used.generation, &refusal).await {
            tracing::debug!(account = account.name, %error, "the refusal of a token was not noted");
        }
    }

    fn left(&self, expires_at: i64) -> i64 {
        expires_at.saturating_sub(self.clock.now_ms())
    }
}

/// A stored token as one to call with.
pub fn token_of(stored: &StoredToken) -> Option<Token> {
    let text = stored.token.clone()?;
    let expires_at = stored.expires_at.unwrap_or(Token::UNKNOWN_EXPIRY);
    Some(Token { text, generation: stored.generation, expires_at, life_ms: stored.life_ms })
}

/// Who holds a lock, or stored a token: host and process id.
pub fn this_process() -> String {
    format!("{}:{}", host_name(), std::process::id())
}

/// The name of this machine.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "unknown".into() } else { name.trim().to_owned() }
}

impl Tokens for Keeper {
    fn current<'a>(&'a self, account: &'a Access) -> Pending<'a> {
        Box::pin(self.token(account))
    }

    fn refused<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a> {
        Box::pin(async move {
            self.note(account, used, &why, &self.who).await;
            self.replace(account, used).await
        })
    }

    fn refused_again<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a, ()> {
        Box::pin(async move { self.note(account, used, &why, &self.who).await })
    }
}
