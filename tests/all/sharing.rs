//! Several processes on one database: on MariaDB they share the work, on SQLite there is one.

use crate::durability::handled;
use crate::faults::LIMIT;
use crate::messages::{OPENID, event_at};
use crate::rows::Db;
use crate::stage::{Serve, Stage, until};
use crate::stories::tell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PUSHES: u64 = 1000;

/// Something that a handler acts on, each so many a different one.
fn scan(number: u64) -> String {
    event_at("SCAN", OPENID, 1_700_000_000 + number as i64, "<EventKey><![CDATA[desk]]></EventKey>\n")
}

/// Pushed to two processes in turn: each settles what it took in, nothing is done twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_what_comes_in() {
    let story = "sharing::two_processes_share_what_comes_in";
    tell(Stage::new(Db::MariaDb, story), LIMIT, async |stage| {
        let both = [stage.serve().await, stage.serve().await];
        for id in (0..PUSHES).step_by(20) {
            let twenty = (id..id + 20).map(scan).enumerate();
            together(twenty.map(|(turn, xml)| {
                let serve = &both[turn % 2];
                async move { assert_eq!(serve.push(&xml).await.status, 200) }
            }))
            .await;
        }
        stage.settled().await;
        shared(&stage, &both).await;
    })
    .await;
}

/// Left in the hand of a killed third: taken over when its leases end, in shares, each once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_what_a_killed_third_left() {
    let story = "sharing::two_processes_share_what_a_killed_third_left";
    tell(Stage::new(Db::MariaDb, story), LIMIT, async |stage| {
        // The third takes callbacks in and can settle none of them.
        let refuse = "CREATE TRIGGER stuck BEFORE UPDATE ON inbox_event FOR EACH ROW SIGNAL SQLSTATE '45000'";
        stage.execute(refuse).await;
        let mut third = stage.serve().await;
        for id in (0..PUSHES).step_by(50) {
            together((id..id + 50).map(|id| {
                let (third, xml) = (&third, scan(id));
                async move { assert_eq!(third.push(&xml).await.status, 200) }
            }))
            .await;
        }
        third.kill().await;
        stage.execute("DROP TRIGGER stuck").await;
        let left = "SELECT COUNT(*) FROM inbox_event WHERE state = 'new' AND lease IS NOT NULL AND lease_until > 0";
        assert_eq!(stage.number(left).await, PUSHES as i64, "all are leased to the dead");

        let both = [stage.serve().await, stage.serve().await];
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(stage.number(left).await, PUSHES as i64, "nobody takes a row before its lease ends");
        stage.outlive_leases().await;
        stage.settled().await;
        shared(&stage, &both).await;
    })
    .await;
}

/// Each settled at least a fifth, nobody a row that another did.
async fn shared(stage: &Stage, both: &[Serve; 2]) {
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'done'").await, PUSHES as i64);
    let counted = async || {
        let ids = both.each_ref().map(|serve| handled(&serve.log()));
        (ids[0].len() + ids[1].len() >= PUSHES as usize).then_some(ids)
    };
    let ids = until("a line of each event", counted).await;
    println!("{} and {} settled", ids[0].len(), ids[1].len());
    let mut times = BTreeMap::<i64, u32>::new();
    ids.iter().flatten().for_each(|id| *times.entry(*id).or_default() += 1);
    assert_eq!(times.len(), PUSHES as usize);
    assert!(times.values().all(|times| *times == 1), "settled twice");
    assert!(ids.iter().all(|ids| ids.len() >= PUSHES as usize / 5), "{} and {}", ids[0].len(), ids[1].len());
}

/// One `serve` a file: the second says so and ends; after kill -9 the next takes at once what the dead had in hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_has_one_serve_and_its_heir() {
    let story = "sharing::sqlite_has_one_serve_and_its_heir";
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |stage| {
        stage.execute("CREATE TRIGGER stuck BEFORE UPDATE ON inbox_event BEGIN SELECT RAISE(ABORT, 'x'); END").await;
        let mut first = stage.serve().await;
        for id in 0..200 {
            assert_eq!(first.push(&scan(id)).await.status, 200);
        }
        let second = stage.verb(&["serve"]).await.expect_code(75);
        assert!(second.stderr.contains("another wxops serve works on this database"), "{}", second.stderr);
        assert!(second.stderr.contains("stop it first"), "it says what to do: {}", second.stderr);
        let json = stage.verb(&["--json", "serve"]).await.expect_code(75);
        let last = json.stderr.lines().last().unwrap_or_default();
        assert!(serde_json::from_str::<serde_json::Value>(last).is_ok(), "{last}");

        first.kill().await;
        stage.execute("DROP TRIGGER stuck").await;
        assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'new'").await, 200);
        let start = Instant::now();
        let heir = stage.serve().await;
        stage.settled().await;
        assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
        until("a line of each event", async || (handled(&heir.log()).len() == 200).then_some(())).await;
        assert!(heir.log().contains("took over"), "{}", heir.log());
    })
    .await;
}

/// All at once, to their end.
async fn together(all: impl IntoIterator<Item = impl Future<Output = ()>>) {
    crate::durability::futures(all).await;
}
