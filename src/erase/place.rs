//! The stores beside the tables that may hold something of a person, and how each is cleared.

use crate::app::App;
use crate::error::{Result, Text};
use crate::say;
use crate::store::Erasure;

/// A store that confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The log of a SQLite file, which keeps what was overwritten until it is emptied.
    File,
}

/// What became of an attempt to clear a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleared {
    /// Nothing of the person is in it.
    Confirmed,
    /// Somebody is in the way for a moment; that is no failure.
    NotYet,
}

impl Place {
    const ALL: [Place; 1] = [Place::File];

    /// As `erasure.stores` and receipts have it.
    pub fn name(self) -> &'static str {
        match self {
            Place::File => "file",
        }
    }

    /// What it is, for people.
    pub fn what(self) -> Text {
        match self {
            Place::File => say!("the database's log file"; "数据库日志文件"),
        }
    }

    /// The store of that name; `None` where this program does not know it.
    pub fn named(name: &str) -> Option<Place> {
        Place::ALL.into_iter().find(|place| place.name() == name)
    }

    /// Whether this installation has it.
    fn is_here(self, app: &App) -> bool {
        match self {
            Place::File => app.store.file().is_some(),
        }
    }

    /// Clears it of these people, all of whom are erased in SQL. What belongs to a following later than an erasure's
    /// `erased_to` stays.
    pub(super) async fn clear(self, app: &App, _people: &[Erasure]) -> Result<Cleared> {
        let cleared = match self {
            // One for all: it was written before the log was emptied.
            Place::File => app.store.empty_log().await?,
        };
        Ok(if cleared { Cleared::Confirmed } else { Cleared::NotYet })
    }
}

/// The stores of this installation.
pub fn places(app: &App) -> Vec<Place> {
    Place::ALL.into_iter().filter(|place| place.is_here(app)).collect()
}

/// The same as `erasure.stores` begins: each name with null.
pub fn stores(app: &App) -> String {
    let names: Vec<String> = places(app).iter().map(|place| format!("\"{}\":null", place.name())).collect();
    format!("{{{}}}", names.join(","))
}
