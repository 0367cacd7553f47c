//! The keeper of access_tokens: one refresh at a time across all processes of a database, no late answer
//! over a newer one (reference 3.3).

use crate::domain::account::Official;
use crate::domain::clock::Clock;
use crate::domain::secret::Secret;
use crate::domain::token::Token;
use crate::error::{Error, Kind, Result, Then};
use crate::platform::http::{Client, Pending, Tokens};
use crate::platform::wechat::token::{Renewal, stable};
use crate::say;
use crate::store::{Store, StoredToken};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token is asked for again this long before its end: the platform renews it then (reference 3.2).
const RENEW_MS: i64 = 300_000;
/// How often it is asked for in that time.
const ASK_EVERY: Duration = Duration::from_secs(20);
/// How long a process trusts what it read before it looks again: `token set` works at once.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// force_refresh: the platform allows 20 a day.
const FORCED_A_DAY: i64 = 10;
/// How long to wait for a refresh that another process has in hand: its lease, and a little.
const PATIENCE: Duration = Duration::from_secs(40);
/// Asia/Shanghai, milliseconds ahead of UTC: the platform's day.
const SHANGHAI_MS: i64 = 8 * 3_600_000;

/// Keeps the tokens of every account.
pub struct Keeper {
    store: Store,
    client: Arc<Client>,
    clock: Clock,
    who: String,
    accounts: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Held>>>>,
}

#[derive(Default)]
struct Held {
    token: Option<(Token, Instant)>,
    asked: Option<Instant>,
}

impl Keeper {
    /// A keeper over the table of a database.
    pub fn new(store: Store, client: Arc<Client>, clock: Clock) -> Self {
        let who = this_process();
        Keeper { store, client, clock, who, accounts: Mutex::default() }
    }

    /// Sees to it that the stored token lives longer than 5 minutes; asks the platform only where it does
    /// not. `force` makes a new one and kills the present one: at most once a minute and 10 times a day.
    pub async fn refresh(&self, account: &Official, force: bool) -> Result<Token> {
        let known = self.store.stored_token(&account.name).await?.generation;
        if force {
            return self.renew(account, Renewal::Force, |token| token.generation > known).await;
        }
        self.renew(account, Renewal::Normal, |token| self.left(token.expires_at) > RENEW_MS).await
    }

    /// This process, as it signs what it holds: host and process id.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The account's cell; its lock is the single flight within this process.
    fn cell(&self, account: &str) -> Arc<tokio::sync::Mutex<Held>> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(account.to_owned()).or_default().clone()
    }

    async fn token(&self, account: &Official) -> Result<Token> {
        let cell = self.cell(&account.name);
        let mut held = cell.lock().await;
        if let Some((token, read)) = &held.token
            && read.elapsed() < LOOK_AGAIN
            && self.left(token.expires_at) > RENEW_MS
        {
            return Ok(token.clone());
        }
        let stored = self.store.stored_token(&account.name).await?;
        let alive = token_of(&stored).filter(|token| self.left(token.expires_at) > 0);
        let asked_just_now = held.asked.is_some_and(|at| at.elapsed() < ASK_EVERY);
        if let Some(token) = alive.clone()
            && (self.left(token.expires_at) > RENEW_MS || asked_just_now)
        {
            held.token = Some((token.clone(), Instant::now()));
            return Ok(token);
        }
        held.asked = Some(Instant::now());
        let renewed = self.renew(account, Renewal::Normal, |token| self.left(token.expires_at) > RENEW_MS);
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

    async fn replace(&self, account: &Official, used: &Token) -> Result<Token> {
        let cell = self.cell(&account.name);
        let mut held = cell.lock().await;
        let newer = |token: &Token| token.generation > used.generation;
        let stored = self.store.stored_token(&account.name).await?;
        let token = match token_of(&stored).filter(newer) {
            Some(token) => token,
            None => self.renew(account, Renewal::Normal, newer).await?,
        };
        let token = if token.text.matches(used.text.reveal()) { self.force(account, used).await? } else { token };
        held.token = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    /// The platform returned the very token that it refused: once a new one by force.
    async fn force(&self, account: &Official, used: &Token) -> Result<Token> {
        tracing::warn!(account = account.name, "the platform returned the token that it refused; forcing a new one");
        self.renew(account, Renewal::Force, |token| token.generation > used.generation).await
    }

    /// One refresh at a time across processes: whoever gets the lease asks, the others wait for a token
    /// that `serves`.
    async fn renew(&self, account: &Official, renewal: Renewal, serves: impl Fn(&Token) -> bool) -> Result<Token> {
        let name = format!("token:{}", account.name);
        let give_up = Instant::now() + PATIENCE;
        loop {
            let lease = self.store.acquire(&name, &self.who).await?;
            let stored = self.store.stored_token(&account.name).await?;
            match (lease, token_of(&stored).filter(&serves)) {
                (lease, Some(token)) => {
                    if let Some(lease) = lease {
                        self.store.release(&lease).await?;
                    }
                    return Ok(token);
                }
                (Some(lease), None) => {
                    let asked = self.ask(account, &stored, renewal).await;
                    self.store.release(&lease).await?;
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

    /// The call itself, with the lease in hand.
    async fn ask(&self, account: &Official, stored: &StoredToken, renewal: Renewal) -> Result<Token> {
        if renewal == Renewal::Force {
            self.count_force(account).await?;
        }
        let fresh = stable(&self.client, account, renewal).await?;
        let expires_at = self.clock.now_ms() + i64::from(fresh.expires_in) * 1000;
        if let Some(old) = &stored.token
            && old.matches(fresh.text.reveal())
        {
            self.store.correct_expiry(&account.name, stored.generation, expires_at).await?;
            return Ok(Token { text: fresh.text, generation: stored.generation, expires_at });
        }
        self.put(account, stored, fresh.text, Some(expires_at), &self.who).await
    }

    /// Counts a force_refresh in SQL before it is asked for; refuses what would be too much.
    async fn count_force(&self, account: &Official) -> Result<()> {
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
            "wait a minute; where tokens are refused again and again, find the other program that refreshes them and let it read ours";
            "请等一分钟；若 token 反复被拒，请找出另一个刷新它的程序，让它改为读取本程序的 token"
        ))
        .then(Then::Pause { after: Duration::from_secs(60), whole_account: true }))
    }

    async fn put(
        &self,
        account: &Official,
        stored: &StoredToken,
        text: Secret,
        end: Option<i64>,
        who: &str,
    ) -> Result<Token> {
        if self.store.store_token(&account.name, Some(&text), end, stored.generation, who).await? {
            let generation = stored.generation + 1;
            tracing::info!(account = account.name, generation, "stored a new access_token");
            return Ok(Token { text, generation, expires_at: end.unwrap_or(Token::UNKNOWN_EXPIRY) });
        }
        // Somebody stored another meanwhile: that one is newer than ours.
        let newer = self.store.stored_token(&account.name).await?;
        token_of(&newer).ok_or_else(|| Error::failed(say!("the token was cleared meanwhile"; "token 已被清除")))
    }

    /// Stores a token that a person brings; its end is unknown, it is trusted until refused. An account that
    /// rests because of its token is tried at once.
    pub async fn set(&self, account: &Official, text: Secret) -> Result<Token> {
        let stored = self.store.stored_token(&account.name).await?;
        let token = self.put(account, &stored, text, None, "token set").await?;
        self.store.probe_at_once(&account.name).await?;
        Ok(token)
    }

    /// Forgets the token: the next call asks for one.
    pub async fn clear(&self, account: &Official) -> Result<bool> {
        let stored = self.store.stored_token(&account.name).await?;
        if stored.token.is_none() {
            return Ok(false);
        }
        self.store.store_token(&account.name, None, None, stored.generation, "token clear").await
    }

    fn left(&self, expires_at: i64) -> i64 {
        expires_at.saturating_sub(self.clock.now_ms())
    }
}

fn token_of(stored: &StoredToken) -> Option<Token> {
    let text = stored.token.clone()?;
    let expires_at = stored.expires_at.unwrap_or(Token::UNKNOWN_EXPIRY);
    Some(Token { text, generation: stored.generation, expires_at })
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
    fn current<'a>(&'a self, account: &'a Official) -> Pending<'a, Token> {
        Box::pin(self.token(account))
    }

    fn refused<'a>(&'a self, account: &'a Official, used: &'a Token) -> Pending<'a, Token> {
        Box::pin(self.replace(account, used))
    }
}
