//! What GET /sandbox/state tells of the corporation.

use super::app::{self, App};
use super::directory::Directory;
use super::people::Counts;
use super::{Office, RobotCounts};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The counts as GET /sandbox/state shows them.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Messages of apps that were taken.
    pub accepted: u64,
    /// Requests that the duplicate check held back.
    pub repeats: u64,
    /// Messages that were taken back.
    pub recalled: u64,
    /// Received, dropped and suppressed by all people together.
    #[serde(flatten)]
    pub sum: Counts,
    /// The same of each person who was ever written to.
    pub people: BTreeMap<Arc<str>, Counts>,
    /// What each app used.
    pub apps: BTreeMap<String, AppShown>,
    /// The group robot.
    pub robot: RobotCounts,
    /// Who there is.
    pub directory: Directory,
}

/// What one app used.
#[derive(Debug, Serialize)]
pub struct AppShown {
    /// Messages that were taken.
    pub accepted: u64,
    /// Requests that the duplicate check held back.
    pub repeats: u64,
    /// Person-times of the Beijing day.
    pub person_times: u64,
    /// Those that the day has.
    pub person_times_limit: u64,
}

impl Office {
    /// The counts; `accounts`: the apps there are.
    pub fn show<'a>(&self, accounts: impl Iterator<Item = &'a str>, now_ms: i64) -> Shown {
        let none = App::default();
        let apps: BTreeMap<_, _> = accounts
            .map(|name| {
                let app = self.apps.get(name).unwrap_or(&none);
                let (accepted, repeats, person_times) = (app.accepted, app.repeats, app.used(now_ms));
                let person_times_limit = app::limit(self.directory.heads);
                (name.to_owned(), AppShown { accepted, repeats, person_times, person_times_limit })
            })
            .collect();
        let (people, sum) = self.people.show();
        Shown {
            accepted: apps.values().map(|app| app.accepted).sum(),
            repeats: apps.values().map(|app| app.repeats).sum(),
            recalled: self.recalled,
            sum,
            people,
            apps,
            robot: self.robot,
            directory: self.directory(),
        }
    }
}
