//! The stores beside the tables that may hold something of a person, and how each is cleared.

use crate::app::App;
use crate::error::{Error, Result, Text};
use crate::say;
use crate::store::Erasure;
use std::collections::BTreeMap;

/// Where there is a Redis, somebody copies; a verb that finds nobody at it after this long does, milliseconds.
const COPIER_MS: i64 = 1_500;

/// A store that confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Copies of positions.
    Redis,
    /// Receivers who were told something about the person.
    Hooks,
    /// Callbacks on the disks of the hosts that serve.
    Spool,
    /// The log of a SQLite file, which keeps what was overwritten until it is emptied. The last: what leaves the spool
    /// passes through it.
    File,
}

/// What a store says of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleared {
    /// Nothing of the person is in it.
    Confirmed,
    /// Not now, and that is no failure; why, where it may last.
    NotYet(Option<String>),
    /// The same as confirmed, but for these receivers: they are no more, and nobody can tell them.
    Without(Vec<String>),
}

impl Place {
    /// All, in the order in which they are asked.
    pub(super) const ALL: [Place; 4] = [Place::Redis, Place::Hooks, Place::Spool, Place::File];

    /// As `erasure.stores` and receipts have it.
    pub fn name(self) -> &'static str {
        match self {
            Place::Redis => "redis",
            Place::Hooks => "hooks",
            Place::Spool => "spool",
            Place::File => "file",
        }
    }

    /// What it is, for people.
    pub fn what(self) -> Text {
        match self {
            Place::Redis => say!("the copies in Redis"; "Redis 中的副本"),
            Place::Hooks => say!("the receivers of hooks"; "各 hook 的接收方"),
            Place::Spool => say!("the spools of all hosts"; "各主机的暂存目录"),
            Place::File => say!("the database's log file"; "数据库日志文件"),
        }
    }

    /// The store of that name; `None` where this program does not know it.
    pub fn named(name: &str) -> Option<Place> {
        Place::ALL.into_iter().find(|place| place.name() == name)
    }

    /// Whether this installation has it.
    pub(super) fn is_here(self, app: &App) -> bool {
        match self {
            Place::Redis => app.cache.is_some(),
            Place::Hooks => app.hooks.may_know_people(),
            Place::Spool => app.spools,
            Place::File => app.store.file().is_some(),
        }
    }

    /// Clears it of these people, all of whom are erased in SQL; an answer for each. What belongs to a following later
    /// than an erasure's `erased_to` stays.
    pub(super) async fn clear(self, app: &App, people: &[Erasure]) -> Result<Vec<Cleared>> {
        match self {
            Place::Redis => redis(app, people).await,
            Place::Hooks => hooks(app, people).await,
            Place::Spool => spool(app, people).await,
            // One for all: it was written before the log was emptied.
            Place::File => {
                let emptied = app.store.empty_log().await?;
                Ok(vec![if emptied { Cleared::Confirmed } else { Cleared::NotYet(None) }; people.len()])
            }
        }
    }
}

async fn redis(app: &App, people: &[Erasure]) -> Result<Vec<Cleared>> {
    let cache = app.cache.as_ref().ok_or_else(|| {
        Error::failed(say!("REDIS_URL is not set here: the copies in Redis can't be removed"; "此处未设置 REDIS_URL，无法删除 Redis 中的副本"))
    })?;
    let now_ms = app.now_ms();
    let mut answers = vec![Cleared::Confirmed; people.len()];
    for (account, openids) in by_account(people) {
        let old = people.iter().all(|one| now_ms - one.erased_at.timestamp_millis() >= COPIER_MS);
        let due = cache.forget(account, &openids, now_ms, old.then(|| app.tokens.who())).await?;
        for (one, answer) in people.iter().zip(&mut answers).filter(|(one, _)| one.account == account) {
            if one.openid.as_ref().is_some_and(|openid| due.contains(openid)) {
                *answer = Cleared::NotYet(None);
            }
        }
    }
    Ok(answers)
}

/// A receiver confirms by taking the delivery `person.erased`.
async fn hooks(app: &App, people: &[Erasure]) -> Result<Vec<Cleared>> {
    let mut answers = vec![Cleared::Confirmed; people.len()];
    for (account, openids) in by_account(people) {
        let not_heard = app.store.not_heard(account, &openids).await?;
        for (one, answer) in people.iter().zip(&mut answers).filter(|(one, _)| one.account == account) {
            let of = |openid: &str| one.openid.as_deref() == Some(openid);
            // Of this erasure, not of one before or after it.
            let mut waiting =
                not_heard.iter().filter(|told| of(&told.openid) && told.erased_at == one.erased_at).peekable();
            if waiting.peek().is_none() {
                continue;
            }
            let (gone, waiting): (Vec<_>, Vec<_>) = waiting.partition(|told| told.state == "gone");
            *answer = match waiting.first() {
                Some(told) => {
                    let why = told.last_error.as_deref().unwrap_or("not told yet");
                    Cleared::NotYet(Some(format!("hook {}: {why}", told.hook)))
                }
                None => Cleared::Without(gone.into_iter().map(|told| told.hook.clone()).collect()),
            };
        }
    }
    Ok(answers)
}

/// Nothing that came in before the erasure lies on a disk, and what lay there is settled: the text is gone with it.
async fn spool(app: &App, people: &[Erasure]) -> Result<Vec<Cleared>> {
    let Some(last) = people.iter().map(|one| one.erased_at.timestamp_millis()).max() else { return Ok(Vec::new()) };
    let places = app.spools_from_before(last).await?;
    if !places.is_empty() {
        let why = format!("callbacks from before it may lie in {}", places.join(", "));
        return Ok(vec![Cleared::NotYet(Some(why)); people.len()]);
    }
    let unsettled = app.store.unsettled(people).await?;
    let answer = |one: &Erasure| if unsettled.contains(&one.id) { Cleared::NotYet(None) } else { Cleared::Confirmed };
    Ok(people.iter().map(answer).collect())
}

/// The people of each account.
fn by_account(people: &[Erasure]) -> BTreeMap<&str, Vec<&str>> {
    let mut accounts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in people {
        accounts.entry(&one.account).or_default().extend(one.openid.as_deref());
    }
    accounts.retain(|_, openids| !openids.is_empty());
    accounts
}

/// The stores of this installation.
pub fn places(app: &App) -> Vec<Place> {
    Place::ALL.into_iter().filter(|place| place.is_here(app)).collect()
}

/// The same as `erasure.stores` begins: each name with null.
pub fn stores(app: &App) -> String {
    let names: Vec<String> = places(app).iter().map(|place| format!("\"{}\":null", place.name())).collect();
    format!("{{{}}}", names.join(","))
}
