//! What a sync of the whole list of followers writes into `user_mapping`: in bulk, and never over what happened since
//! it began. Every write repeats `updated_at < began`: events, erasures and user/info set it, so that nothing brings
//! back a person who left or was erased after the platform was asked, and nobody's newer row is overwritten.

mod compare;
mod file;
mod gone;
mod pages;
mod server;

pub use gone::{Candidate, GonePerson};
pub use pages::Row as SyncRow;

use super::enrichment::Profile;
use super::follow::TEXT_MAX;
use super::value::stmt;
use super::{Pool, Statement, Store};
use crate::error::{Error, Result};
use crate::say;
use chrono::{DateTime, Utc};
use file::File;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A sync under way, as its rows are marked.
#[derive(Debug, Clone)]
pub struct Syncing {
    /// The account's name.
    pub account: String,
    /// `user_mapping.seen_run` of those whom it has seen.
    pub run: i64,
    /// When it began: what was changed since is left alone.
    pub began: DateTime<Utc>,
}

/// Somebody of the list.
#[derive(Debug)]
pub struct Listed {
    /// The person.
    pub openid: String,
    /// What the platform told of them; `None`: they are only marked as seen, where there is a row.
    pub profile: Option<Profile>,
    /// Whether they count as seen; not who could not be asked about.
    pub counts: bool,
}

/// What became of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// People of the list, each once.
    pub seen: u64,
    /// They had no row.
    pub new: u64,
    /// Something of them was not known.
    pub updated: u64,
    /// Nothing was.
    pub unchanged: u64,
    /// They were known as gone or erased, and follow again.
    pub returned: u64,
    /// Left alone: an event changed them since the run began, or they are erased and have not followed again.
    pub kept: u64,
}

impl Synced {
    /// Adds another.
    pub fn add(&mut self, other: Synced) {
        self.seen += other.seen;
        self.new += other.new;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.returned += other.returned;
        self.kept += other.kept;
    }
}

/// What one transaction did.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// What became of its people.
    pub tally: Synced,
    /// How long others could not write to a SQLite file.
    pub held: Duration,
}

/// Makes the statement that notes how far the sync is, of what became of the people that are written with it.
pub type Note = Box<dyn Fn(&Synced) -> Statement + Send + Sync>;

/// Writes people of a list, a transaction at a time.
#[derive(Debug)]
pub struct SyncWriter {
    store: Store,
    syncing: Syncing,
    /// Its own connection to a SQLite file: a transaction looks at rows and writes them.
    file: Option<File>,
    /// Whether most people of the last transaction had no row.
    strangers: bool,
}

impl Store {
    /// Begins to write what a list of followers tells.
    pub fn sync_writer(&self, syncing: Syncing, strangers: bool) -> Result<SyncWriter> {
        let file = self.file().map(File::open).transpose()?;
        Ok(SyncWriter { store: self.clone(), syncing, file, strangers })
    }
}

impl SyncWriter {
    /// Writes these people, different ones, and what `note` makes of it, in one transaction. `now` is when.
    pub async fn write(&mut self, people: Vec<Listed>, now: DateTime<Utc>, note: Note) -> Result<Written> {
        let people = (people.into_iter().map(fitting).collect(), now);
        let written = match (&mut self.file, &self.store.pool) {
            (Some(file), _) => file.write(&self.syncing, people, note, self.strangers).await?,
            (None, Pool::MySql(pool)) => {
                server::write(&self.store, pool, &self.syncing, people, note, self.strangers).await?
            }
            (None, Pool::Sqlite(_)) => return Err(super::lost(sqlx::Error::PoolClosed)),
        };
        let Synced { seen, new, .. } = written.tally;
        self.strangers = if seen > 0 { new * 2 > seen } else { self.strangers };
        Ok(written)
    }
}

/// The note found no run under way: another one has taken this one for dead.
fn overtaken() -> Error {
    Error::failed(say!("the lock was lost: this process stood still for over 30 s"; "锁已失效：本进程停顿超过 30 秒"))
        .next(say!("run it again; work done is kept"; "请重新运行；已完成的工作已保留"))
}

/// Free text as the columns take it.
fn fitting(mut person: Listed) -> Listed {
    let Some(profile) = &mut person.profile else { return person };
    for (text, most) in [
        (&mut profile.unionid, 64),
        (&mut profile.nickname, TEXT_MAX),
        (&mut profile.avatar_url, 1024),
        (&mut profile.city, TEXT_MAX),
        (&mut profile.province, TEXT_MAX),
        (&mut profile.country, TEXT_MAX),
        (&mut profile.language, 32),
        (&mut profile.subscribe_scene, 64),
        (&mut profile.remark, TEXT_MAX),
    ] {
        if let Some(text) = text
            && text.len() > most
            && let Some((end, _)) = text.char_indices().nth(most)
        {
            text.truncate(end);
        }
    }
    person
}

/// The columns of somebody new, in the order of [`Store::sync_new`].
const NEW: &str = "account, openid, is_followed, unionid, nickname, avatar_url, sex, city, province, country, language, \
     subscribe_scene, remark, follow_time, created_at, updated_at, seen_run";
/// Their values.
const NEW_ROW: &str = "(?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// What was told over what is known: never nothing over something, and the later of two followings. Only where nothing
/// changed the row since the run began.
const CHANGE: &str = "UPDATE user_mapping SET \
     unionid = COALESCE(?5, unionid), nickname = COALESCE(?6, nickname), avatar_url = COALESCE(?7, avatar_url), \
     sex = COALESCE(?8, sex), city = COALESCE(?9, city), province = COALESCE(?10, province), \
     country = COALESCE(?11, country), language = COALESCE(?12, language), \
     subscribe_scene = COALESCE(?13, subscribe_scene), remark = COALESCE(?14, remark), \
     follow_time = CASE WHEN follow_time IS NULL OR follow_time < ?15 THEN COALESCE(?15, follow_time) ELSE follow_time END, \
     is_followed = 1, erased_at = NULL, gone_at = NULL, info_due_at = NULL, info_attempts = 0, info_error = NULL, \
     info_lease = 0, seen_run = ?16, updated_at = ?4 \
     WHERE account = ?1 AND openid = ?2 AND updated_at < ?3";

/// Marks as seen. A table of another program may have `updated_at` follow every change.
const SEEN: &str = "UPDATE user_mapping SET seen_run = ?, updated_at = updated_at WHERE id";

fn change(syncing: &Syncing, openid: String, told: Profile, now: DateTime<Utc>) -> Statement {
    stmt!(
        CHANGE,
        syncing.account.as_str(),
        openid,
        syncing.began,
        now,
        told.unionid,
        told.nickname,
        told.avatar_url,
        told.sex,
        told.city,
        told.province,
        told.country,
        told.language,
        told.subscribe_scene,
        told.remark,
        told.follow_time,
        syncing.run
    )
}
