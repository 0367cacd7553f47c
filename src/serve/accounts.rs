//! The accounts of a running server, and what else a reload may change. One table, swapped whole: a request works
//! with the table that it found, the next one with the new.

use crate::config::Config;
use crate::domain::account::{Access, Official, WeCom};
use crate::domain::client::Proof;
use crate::error::Result;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The table in force, and why the last reload was refused.
#[derive(Debug)]
pub(super) struct Accounts {
    table: RwLock<Arc<Table>>,
    refused: Mutex<Option<String>>,
}

/// What one configuration says.
#[derive(Debug)]
pub(super) struct Table {
    pub config: Config,
    pub officials: Vec<Arc<Official>>,
    wecoms: Vec<Arc<WeCom>>,
    /// What the admin proves itself with.
    pub admin: Option<Proof>,
    default: Option<Arc<Official>>,
}

impl Accounts {
    pub fn new(config: Config) -> Self {
        Accounts { table: RwLock::new(Arc::new(Table::new(config))), refused: Mutex::default() }
    }

    /// The table in force now.
    pub fn now(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another table in force.
    pub fn swap(&self, table: Arc<Table>) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
    }

    /// Notes why the last reload was refused, or that it was not.
    pub fn refused(&self, why: Option<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Why the last reload was refused; the table is the one before it.
    pub fn refusal(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Table {
    pub fn new(config: Config) -> Self {
        let officials: Vec<_> = config.officials.iter().cloned().map(Arc::new).collect();
        let default = config.official(None).ok().map(|official| official.name.as_str());
        let default = officials.iter().find(|official| Some(official.name.as_str()) == default).cloned();
        let admin = config.api_token.as_ref().map(|token| Proof::of(token.reveal()));
        let wecoms = config.wecoms.iter().cloned().map(Arc::new).collect();
        Table { config, officials, wecoms, admin, default }
    }

    /// The account of that name; the default one without a name.
    pub fn account(&self, name: Option<&str>) -> Option<&Arc<Official>> {
        match name {
            Some(name) => self.officials.iter().find(|official| official.name == name),
            None => self.default.as_ref(),
        }
    }

    /// The WeCom application of that name; without a name the only one that receives callbacks.
    pub fn wecom(&self, name: Option<&str>) -> Option<&Arc<WeCom>> {
        let mut receiving = self.wecoms.iter().filter(|wecom| wecom.receives());
        match name {
            Some(name) => self.wecoms.iter().find(|wecom| wecom.name == name),
            None => receiving.next().filter(|_| receiving.next().is_none()),
        }
    }

    /// The account of that name, on whichever platform.
    pub fn access(&self, name: &str) -> Option<&Access> {
        self.config.accesses().find(|account| account.name == name)
    }

    /// Whether a push to this account says that it is for another one of ours.
    pub fn is_anothers(&self, account: &Official, to_user: &str) -> bool {
        let means = |other: &Arc<Official>| other.original_id.as_deref() == Some(to_user);
        account.original_id.is_none() && self.officials.iter().any(|other| other.name != account.name && means(other))
    }

    /// The replay window, seconds.
    pub fn window(&self) -> Option<i64> {
        self.config.replay_window.and_then(|window| i64::try_from(window.as_secs()).ok())
    }

    /// The accounts for a log line: `shop (secure), club (plain)`.
    pub fn names(&self) -> String {
        let shown = |official: &Arc<Official>| format!("{} ({})", official.name, official.mode.as_str());
        let busy = self.wecoms.iter().filter(|wecom| wecom.receives() || wecom.sends());
        let wecom = busy.map(|wecom| format!("{} (wecom)", wecom.name));
        self.officials.iter().map(shown).chain(wecom).collect::<Vec<_>>().join(", ")
    }
}

/// Refuses a configuration that can't be served: no account that receives callbacks or sends messages, or one whose
/// callbacks can't be verified.
pub(super) fn servable(config: &Config) -> Result<()> {
    config.check_use()?;
    for account in &config.officials {
        config.tokens_of(account)?;
    }
    Ok(())
}
