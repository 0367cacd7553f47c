//! The hooks in force: a reload swaps them, whoever handles an event asks them.

use crate::domain::event::Kind;
use crate::domain::hook::Hook;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// The hooks of a running process.
#[derive(Debug)]
pub struct Hooks {
    now: RwLock<Arc<[Hook]>>,
    /// Told when something became due for one of them.
    pub due: Notify,
}

impl Hooks {
    pub(super) fn new(hooks: &[Hook]) -> Self {
        Hooks { now: RwLock::new(hooks.into()), due: Notify::new() }
    }

    /// Those in force now.
    pub fn now(&self) -> Arc<[Hook]> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts others in force.
    pub fn swap(&self, hooks: &[Hook]) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = hooks.into();
    }

    /// Whether one of them wants to hear of events of this kind.
    pub fn want(&self, account: &str, kind: Kind) -> bool {
        self.now.read().unwrap_or_else(PoisonError::into_inner).iter().any(|hook| hook.wants(account, kind))
    }
}
