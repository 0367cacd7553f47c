//! SQL: the only truth. SQLite or MySQL/MariaDB behind one interface; a write is a list of statements
//! that runs in one transaction, so none can be open across a call to the outside.

mod access_token;
mod account;
pub mod adopt;
mod alarm;
pub mod backup;
mod channel;
mod checkup;
mod complaint;
mod dialect;
mod dump;
mod enrichment;
mod erasure;
mod erasure_chain;
mod figures;
mod filter;
mod finished;
mod follow;
mod follower;
mod hook;
mod hook_erasure;
mod hook_row;
mod inbox;
mod inbox_stats;
mod job_run;
mod lease;
mod location;
mod migrate;
mod mysql;
mod open;
mod pulse;
mod purge;
pub mod queue;
mod quota;
mod read;
mod remains;
mod repair;
mod requests;
mod revoke;
mod scrub;
mod seen;
mod spool;
mod sqlite;
mod sync;
#[cfg(test)]
mod tests;
mod token_history;
mod value;
mod writer;
mod zone;

pub use access_token::{Hold, NewToken, StoredToken};
pub use account::is_same;
pub use alarm::Standing;
pub use channel::Pause;
pub use dialect::Dialect;
pub use dump::dump_command;
pub use enrichment::{Due, Profile};
pub use erasure::{Beside, Cause, Erasure, Known, ToErase};
pub use erasure_chain::Link;
pub use figures::Profiles;
pub use finished::{MassFinished, PublishFinished, Word};
pub use follower::{Follower, FollowerFilter};
pub use hook::{Delivery, Matter, Told};
pub use hook_erasure::NotHeard;
pub use hook_row::{DeliveryRow, HookCount};
pub use inbox::{Arrival, Body, InboxFilter, InboxRow, Leased, Outcome, Settled, Stored};
pub use inbox_stats::{MenuEvent, Tally};
pub use job_run::{Begun, JobOutcome, JobRun, RunEnd, RunFilter, job_lock};
pub use lease::{Holder, Lease};
pub use location::{Gone, Position};
pub use migrate::{Applied, SchemaState};
pub use open::{Options, Store};
pub use purge::{Old, OldRows, Purge, Step};
pub use quota::{Cleared, Entry, Way};
use read::Pool;
pub use remains::{Remains, Remembered};
pub use repair::{AskedRow, Following};
pub use requests::Request;
pub use revoke::Revoked;
pub use seen::{Asked, Seen};
pub use spool::{SpoolRow, spool_time};
pub use sync::{Candidate, GonePerson, Listed, Note, SyncRow, SyncWriter, Synced, Syncing, Written};
pub use token_history::{PastToken, Refusal as TokenRefusal};
pub use value::{Statement, Value};
pub use writer::{End, InHand};
pub use zone::Zone;

use crate::error::{Error, Then};
use crate::say;
use chrono::{DateTime, SubsecRound, Utc};
use std::time::Duration;

/// How long a row, a token refresh or a job is held without a sign of life, milliseconds.
pub const LEASE_MS: i64 = 30_000;

/// How long the database may be away before it is asked again.
const AWAY: Duration = Duration::from_secs(1);

/// A new lease: a number nobody else has drawn.
pub fn lease_id() -> i64 {
    rand::random_range(1..i64::MAX)
}

/// Now, for columns people read; milliseconds, as both databases keep them.
pub(crate) fn time_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// Milliseconds, for columns people read.
pub(crate) fn time_of(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// A database that failed, as an error of the house: not reachable, or wrong by configuration.
pub(crate) fn lost(error: sqlx::Error) -> Error {
    let why = error.to_string();
    let config = matches!(&error, sqlx::Error::Database(e)
        if matches!(e.code().as_deref(), Some("28000" | "42000")) && refused_login(e.as_ref()));
    let made = if config {
        Error::config(say!("the database refuses the login: {why}"; "数据库拒绝登录：{why}")).next(say!(
            "check DATABASE_URL, and that the database and its user were made there";
            "请检查 DATABASE_URL，并确认库与用户已在服务器上创建"
        ))
    } else {
        Error::unavailable(say!("the database failed: {why}"; "数据库出错：{why}"))
            .next(say!("check the database, then run this again"; "请检查数据库后重试"))
    };
    made.then(Then::Pause { after: AWAY, whole_account: true }).source(error)
}

/// 1044, 1045: no such login; 1049: no such database; 1698: only by socket.
fn refused_login(error: &dyn sqlx::error::DatabaseError) -> bool {
    error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .is_some_and(|e| matches!(e.number(), 1044 | 1045 | 1049 | 1698))
}
