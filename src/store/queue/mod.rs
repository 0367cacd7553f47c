//! The notification queue in the CRM's database (WeCom reference 7): `claim.rs` takes rows in hand, `pace.rs` keeps to what
//! the platform takes, `settle.rs` writes how it went, `list.rs` and `stats.rs` tell of it; all times by the database's clock, which the trigger writes by.

mod claim;
mod list;
mod pace;
mod settle;
mod stats;
mod words;

pub use claim::{Claimed, Drain, LEASE_MS};
pub use list::{NoticeFilter, NoticeRow, WholeNotice};
pub use pace::{Counted, Share};
pub use settle::{Ending, Fate, Frozen};
pub use stats::{Day, Depth};
