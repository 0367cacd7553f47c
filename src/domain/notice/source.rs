//! Where notifications come from: the members of the CRM, and what of them is told.

use super::Kind;

/// The table of the members, and what is taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The table.
    pub table: String,
    /// The column that numbers its rows.
    pub id: String,
    /// The columns that go into a notification.
    pub fields: Vec<String>,
    /// What is told of.
    pub kinds: Vec<Kind>,
    /// The columns whose change is told of (kind changed).
    pub changed: Vec<String>,
    /// The column whose change is told of as the kind status.
    pub status: String,
    /// Answered sends before a notification is given up.
    pub max_attempts: u32,
}

impl Source {
    /// Whether this kind is told of.
    pub fn tells(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Every column that is named, each once, and the setting that names it.
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        let mut all: Vec<(&str, &str)> = vec![("queue.id_column", &self.id)];
        all.extend(self.fields.iter().map(|field| ("queue.fields", field.as_str())));
        if self.tells(Kind::Changed) {
            all.extend(self.changed.iter().map(|field| ("queue.changed", field.as_str())));
        }
        if self.tells(Kind::Status) {
            all.push(("queue.status_column", &self.status));
        }
        let mut once: Vec<(&str, &str)> = Vec::new();
        for (setting, name) in all {
            if !once.iter().any(|(_, known)| known.eq_ignore_ascii_case(name)) {
                once.push((setting, name));
            }
        }
        once
    }
}
