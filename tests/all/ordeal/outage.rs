//! A database that is away for a minute: what comes in meanwhile is acknowledged from the spool, nobody waits long
//! for it, and it moves in when the database is back. No restart.

use super::load::{Came, Load, Pace};
use super::{back, disk, limit, outage};
use crate::faults::{Order, OwnMariaDb};
use crate::http;
use crate::rows::{Db, skip};
use crate::slow_disk::compiled;
use crate::stage::{Serve, Stage};
use crate::stories::tell;
use std::time::{Duration, Instant};

/// The load, alone, before and after.
const ALONE: Duration = Duration::from_secs(2);
/// The platform cuts at 5 s.
const LONGEST: Duration = Duration::from_millis(4500);
/// Until the database takes commits again.
const RECOVERED: Duration = Duration::from_secs(2);
/// Until the events of an outage are in the database.
const MOVED_IN: Duration = Duration::from_secs(10);

/// Plays one outage.
async fn play(fault: &'static str, stage: &Stage, mut turn: impl FnMut(Turn)) {
    let serve = stage.serve().await;
    let load = Load::start(stage, serve.address(), Pace::default());
    tokio::time::sleep(ALONE).await;

    tokio::task::block_in_place(|| turn(Turn::Away));
    tokio::time::sleep(outage() / 2).await;
    let ready = ready(&serve).await;
    tokio::time::sleep(outage() / 2).await;

    tokio::task::block_in_place(|| turn(Turn::Back));
    let end = Instant::now();
    let (recovered, moved_in) = tokio::join!(
        back::until_commits(stage, Pace::default().connections, end),
        back::until_stored(stage, &serve, end)
    );
    tokio::time::sleep(ALONE).await;

    let mut verdict = load.judge(fault, stage).await;
    let refused = verdict.count(|sample| sample.came != Came::Answer(200));
    verdict.bar(refused == 0, format!("{refused} requests were not acknowledged"));
    let slow = verdict.count(|sample| sample.took > LONGEST);
    verdict.bar(slow == 0, format!("{slow} requests took over {LONGEST:?}"));
    verdict.bar(ready, "/readyz was red though there is a spool");
    verdict.recovered(recovered, RECOVERED);
    verdict.moved_in(moved_in, MOVED_IN);
    verdict.close(&serve);
}

enum Turn {
    Away,
    Back,
}

async fn ready(serve: &Serve) -> bool {
    http::get(serve.address(), "/readyz").await.is_ok_and(|answer| answer.status == 200)
}

mod mariadb {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_hangs() {
        on_own_server("server stopped (SIGSTOP)", Order::Hang, Order::GoOn).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_is_killed_and_starts_again() {
        on_own_server("server killed, and started again", Order::Kill, Order::Again).await;
    }

    async fn on_own_server(fault: &'static str, away: Order, again: Order) {
        let folder = tempfile::tempdir().unwrap();
        let Some(mut server) = OwnMariaDb::start_in(folder.path(), fault) else { return };
        let url = server.url.clone();
        let stage = async { Some(Stage::on_server(&url).await) };
        tell(stage, limit(), async |stage| {
            play(fault, &stage, |turn| {
                server.order(match turn {
                    Turn::Away => away,
                    Turn::Back => again,
                });
            })
            .await;
        })
        .await;
    }
}

mod sqlite {
    use super::*;

    /// Another process holds the write lock.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_lock_that_somebody_holds() {
        let fault = "file locked by somebody else";
        tell(Stage::new(Db::Sqlite, fault), limit(), async |stage| {
            let db = rusqlite::Connection::open(stage.folder().join("wxops.db")).unwrap();
            db.busy_timeout(Duration::from_secs(5)).unwrap();
            play(fault, &stage, |turn| match turn {
                Turn::Away => db.execute_batch("BEGIN EXCLUSIVE").expect("the lock is free now and then"),
                Turn::Back => db.execute_batch("ROLLBACK").expect("the lock is ours"),
            })
            .await;
        })
        .await;
    }

    /// The disk of the database does not come back from fsync; the spool is on another.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_disk_that_hangs() {
        let fault = "disk of the file hangs";
        tell(Stage::new(Db::Sqlite, fault), limit(), async |mut stage| {
            let Some(shim) = compiled("ill_disk", stage.folder()) else { return skip(fault, "cc is not installed") };
            let hangs = stage.folder().join("hangs");
            let wal = stage.folder().join("wxops.db-wal");
            disk::preload(&mut stage, &shim, &wal, &[("ILL_DISK_HANGS", &hangs)]);
            play(fault, &stage, |turn| match turn {
                Turn::Away => std::fs::write(&hangs, "").unwrap(),
                Turn::Back => std::fs::remove_file(&hangs).unwrap(),
            })
            .await;
        })
        .await;
    }
}
