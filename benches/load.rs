//! The load by hand. scripts/kill9 and scripts/bench call it:
//!
//! ```text
//! load kill9 N sqlite|mariadb
//! load push HOST:PORT [--seconds 10 | --count N] [--connections 64] [--duplicates 0.1] [--mode secure] [--path /wechat/event]
//!           [--app-id wx…] [--original-id gh_…]      (token and AES key: WECHAT_TOKEN, WECHAT_AES_KEY; else the vectors')
//! ```

#[path = "../tests/all/http.rs"]
mod http;
#[path = "../tests/load/mod.rs"]
mod load;
#[path = "../tests/all/process.rs"]
mod process;
#[path = "../tests/all/rows.rs"]
mod rows;
#[path = "../tests/all/signer.rs"]
mod signer;
#[path = "../tests/all/stage.rs"]
mod stage;

use load::events::Events;
use load::kill9::{Plan, Table};
use load::{End, Options, Progress};
use rows::Db;
use signer::{Keys, Mode};
use stage::Stage;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const USAGE: &str = "usage: load kill9 N sqlite|mariadb | load push HOST:PORT [--seconds S | --count N] \
[--connections 64] [--duplicates 0.1] [--mode plain|compat|secure] [--path P] [--app-id A] [--original-id G]";

#[tokio::main]
async fn main() -> ExitCode {
    // cargo bench adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["kill9", kills, "sqlite"] => kill9(kills, Db::Sqlite).await,
        ["kill9", kills, "mariadb"] => kill9(kills, Db::MariaDb).await,
        ["push", address, ref flags @ ..] => push(address, flags).await,
        _ => None,
    };
    done.unwrap_or_else(|| {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    })
}

async fn kill9(kills: &str, db: Db) -> Option<ExitCode> {
    let plan = Plan {
        kills: kills.parse().ok()?,
        connections: 64,
        pause: 200..1200,
        // On MariaDB the last process's leases run out after 30 s.
        patience: Duration::from_secs(45),
        outlive_leases: false,
        followers: 50_000,
    };
    let Some(stage) = Stage::with_followers(db, "kill9", plan.followers as u32).await else {
        return Some(ExitCode::from(69));
    };
    let table = load::kill9::run(&stage, &plan).await;
    println!("{table}");
    Some(verdict(&table))
}

fn verdict(table: &Table) -> ExitCode {
    match table.faults() == [0, 0, 0] && table.median_in_flight() >= 32 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

async fn push(address: &str, flags: &[&str]) -> Option<ExitCode> {
    let options = options(flags)?;
    let (_keep, target) = watch::channel(Some(address.parse().ok()?));
    let events = Events::new(&options.keys.original_id, signer::now() - 86_400, Vec::new());
    let progress = Arc::new(Progress::default());
    let report = load::run(options, Arc::new(events), target, progress, Arc::new(|_, _| {})).await;
    println!("{report}");
    Some(ExitCode::SUCCESS)
}

fn options(flags: &[&str]) -> Option<Options> {
    let mut options = Options {
        connections: 64,
        end: End::After(Duration::from_secs(10)),
        duplicates: 0.1,
        mode: Mode::Secure,
        keys: Keys::default(),
        path: "/wechat/event".into(),
        insist: false,
    };
    for (name, key) in [("WECHAT_TOKEN", &mut options.keys.token), ("WECHAT_AES_KEY", &mut options.keys.aes_key)] {
        *key = std::env::var(name).unwrap_or_else(|_| key.clone());
    }
    for pair in flags.chunks(2) {
        let [flag, value] = *pair else { return None };
        match flag {
            "--seconds" => options.end = End::After(Duration::from_secs_f64(value.parse().ok()?)),
            "--count" => options.end = End::Count(value.parse().ok()?),
            "--connections" => options.connections = value.parse().ok()?,
            "--duplicates" => options.duplicates = value.parse().ok().filter(|part| (0.0..=1.0).contains(part))?,
            "--mode" => {
                options.mode = [Mode::Plain, Mode::Compat, Mode::Secure].into_iter().find(|m| m.word() == value)?
            }
            "--path" => options.path = value.into(),
            "--app-id" => options.keys.app_id = value.into(),
            "--original-id" => options.keys.original_id = value.into(),
            _ => return None,
        }
    }
    Some(options)
}
