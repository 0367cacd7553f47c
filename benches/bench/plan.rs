//! What is to be measured, from the flags.

use super::sealed::{CONNECTIONS, DUPLICATES};
use super::under;
use crate::rows::Db;
use std::path::PathBuf;

pub const FLAGS: &str = "[--rounds N] [--seconds N] [--events N] [--db both|sqlite|mariadb] [--only NAME,…] [--check] \
[--env=NAME=VALUE …] --out FILE";

/// What the server of the database calls itself, from scripts/bench.
const DATABASE_VERSION: &str = "WXOPS_BENCH_DATABASE_VERSION";

#[derive(Clone)]
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

    /// The load of the verbs that take turns.
    pub fn load(&self) -> String {
        format!("{}; the median of {} interleaved rounds of {} s", load(), self.rounds, self.seconds)
    }

    /// Under what is measured, as it is kept with the rows.
    pub fn conditions(&self) -> Vec<(&'static str, String)> {
        let slow = self.env.iter().find(|(name, _)| name == "SLOW_FSYNC_MS").map(|(_, ms)| ms.as_str());
        let mut said = vec![
            ("machine", under::machine()),
            ("cores", cores().to_string()),
            ("cpus", shared()),
            ("wxops", under::version()),
            ("taken", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()),
        ];
        if self.dbs.contains(&Db::MariaDb) {
            said.push(("database", std::env::var(DATABASE_VERSION).unwrap_or_else(|_| "a MariaDB".into())));
        }
        if let Some(ms) = slow {
            said.push(("slow_fsync_ms", ms.to_owned()));
            said.push(("disk", format!("every fsync slowed by {ms} ms")));
        }
        said
    }
}

/// What is sent, of every verb that sends.
pub fn load() -> String {
    format!("{CONNECTIONS} connections, {:.0} % duplicates, secure mode", DUPLICATES * 100.0)
}

fn shared() -> String {
    match cores() {
        1 => "one CPU, shared by server, database, stand-in platform and load".to_owned(),
        cores => format!("{cores} cores, shared by server, database, stand-in platform and load"),
    }
}

/// The cores that we may use, and with us what we start.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

pub fn name(db: Db) -> &'static str {
    match db {
        Db::Sqlite => "sqlite",
        Db::MariaDb => "mariadb",
    }
}
