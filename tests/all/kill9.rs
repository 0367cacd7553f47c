//! Ten kills a database, under load. `scripts/kill9` makes a hundred.

use crate::load::kill9::{self, Plan};
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::tell;
use std::time::Duration;

/// A fault story may take longer than others.
const LIMIT: Duration = Duration::from_secs(30);
const FOLLOWERS: u32 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_on_sqlite() {
    play(Db::Sqlite, "kill9::ten_kills_on_sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_on_mariadb() {
    play(Db::MariaDb, "kill9::ten_kills_on_mariadb").await;
}

async fn play(db: Db, story: &str) {
    let story = Stage::with_followers(db, story, FOLLOWERS);
    tell(story, LIMIT, async |stage| {
        let plan = Plan {
            kills: 10,
            connections: 64,
            pause: 50..250,
            patience: Duration::from_secs(5),
            outlive_leases: true,
            followers: FOLLOWERS as usize,
        };
        let table = kill9::run(&stage, &plan).await;
        println!("{table}");
        assert_eq!(table.faults(), [0, 0, 0], "lost, twice, unprocessed");
        assert!(table.rows.iter().any(|row| row.acknowledged > 0), "nothing was pushed at all");
    })
    .await;
}
