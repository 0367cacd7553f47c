//! The notification queue in the CRM's database (WeCom reference 7): `schema.rs` is its DDL, `trigger.rs` what makes its
//! rows, `columns.rs` the table of the members as it stands, `capture.rs` looks for new members where no trigger may;
//! `claim.rs` takes rows in hand, `pace.rs` keeps to what the platform takes, `settle.rs` writes how it went, `list.rs` and
//! `stats.rs` tell of it; all times by the database's clock, which the trigger writes by.

mod capture;
mod check;
mod claim;
mod columns;
mod db;
mod list;
mod member;
mod pace;
mod plan;
mod refused;
mod rollback;
mod schema;
mod script;
mod settle;
mod standing;
mod stats;
mod trigger;
mod watch;
mod words;

pub use check::{Checked, Drift};
pub use claim::{Claimed, Drain, LEASE_MS};
pub use db::QueueDb;
pub use list::{NoticeFilter, NoticeRow, WholeNotice};
pub use pace::{Counted, Share};
pub use plan::{Done, Plan, Step, Wish};
pub use rollback::Remnant;
pub use settle::{Ending, Fate, Frozen};
pub use stats::{Day, Depth};
pub use trigger::Definer;
pub use watch::Watch;
