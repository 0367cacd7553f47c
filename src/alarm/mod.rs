//! What is out of the ordinary, and who is told of it: the same look for `serve`, which takes it once a minute, and for
//! `wxops status`, which takes it when asked, also where no `serve` lives any more.

mod finding;
mod health;
mod hooks;
mod jobs;
mod queue;
mod tell;
mod tokens;

pub use finding::{Finding, Kind};
pub use health::{Callbacks, Health, Inbox, Paused};
pub use hooks::{Hooks, hook_of};
pub use jobs::JobState;
pub use queue::QueueState;
pub use tell::{Told, Word, tell, to_tell};
pub use tokens::TokenState;

/// The lock of the process that watches. Its row also shows whether a `serve` lives.
pub const WATCH: &str = "alarm";

/// An alarm of the whole installation stands under this name.
const ALL: &str = "*";
