//! What is to be measured, from the flags.

use crate::rows::Db;
use std::path::PathBuf;

pub const FLAGS: &str = "[--rounds N] [--seconds N] [--events N] [--db both|sqlite|mariadb] [--only NAME,…] [--check] \
[--env=NAME=VALUE …] --out FILE";

pub struct Plan {
    pub rounds: u32,
    pub seconds: u64,
    pub events: u64,
    pub dbs: Vec<Db>,
    /// Of the race: only these contestants.
    pub only: Vec<String>,
    pub check: bool,
    /// For the server and the group commit: the slow disk.
    pub env: Vec<(String, String)>,
    pub out: PathBuf,
}

impl Plan {
    pub fn read(flags: &[&str]) -> Option<Plan> {
        let mut plan = Plan {
            rounds: 5,
            seconds: 5,
            events: 1_000_000,
            dbs: vec![Db::Sqlite, Db::MariaDb],
            only: Vec::new(),
            check: false,
            env: Vec::new(),
            out: PathBuf::new(),
        };
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            if let Some((name, value)) = flag.strip_prefix("--env=").and_then(|pair| pair.split_once('=')) {
                plan.env.push((name.into(), value.into()));
                continue;
            }
            match *flag {
                "--check" => plan.check = true,
                "--rounds" => plan.rounds = flags.next()?.parse().ok()?,
                "--seconds" => plan.seconds = flags.next()?.parse().ok()?,
                "--events" => plan.events = flags.next()?.parse().ok()?,
                "--only" => plan.only = flags.next()?.split(',').map(str::to_owned).collect(),
                "--out" => plan.out = flags.next()?.into(),
                "--db" => match *flags.next()? {
                    "sqlite" => plan.dbs = vec![Db::Sqlite],
                    "mariadb" => plan.dbs = vec![Db::MariaDb],
                    "both" => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
        (!plan.out.as_os_str().is_empty()).then_some(plan)
    }

    /// By how many milliseconds each fsync is slowed, as it was given.
    pub fn slow_disk(&self) -> Option<&str> {
        self.env.iter().find(|(name, _)| name == "SLOW_FSYNC_MS").map(|(_, ms)| ms.as_str())
    }

    /// The machine, in a few words.
    pub fn machine(&self) -> String {
        let slow = self.slow_disk().map_or(String::new(), |ms| format!(", fsync slowed by {ms} ms"));
        match cores() {
            1 => format!("one CPU, shared by all{slow}"),
            cores => format!("{cores} cores, shared by server, database, stand-in platform and load{slow}"),
        }
    }
}

/// The cores that we may use, and with us what we start.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

pub fn name(db: Db) -> &'static str {
    match db {
        Db::Sqlite => "sqlite",
        Db::MariaDb => "mariadb",
    }
}
