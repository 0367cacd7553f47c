//! The notification queue in the CRM's database (WeCom reference 7): `claim.rs` takes rows in hand, `pace.rs` keeps to what
//! the platform takes, `settle.rs` writes how it went; all times by the database's clock, which the trigger writes by.

mod claim;
mod pace;
mod settle;
mod words;

pub use claim::{Claimed, Drain, LEASE_MS};
pub use pace::{Counted, Share};
pub use settle::{Ending, Fate, Frozen};
