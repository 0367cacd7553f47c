//! A registration waits for no drain and is due at once, whatever the clock of the session that makes it.

use super::{BY_COLUMN, Crm, LIMIT};
use crate::process;
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::tell;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Drains at once, each pass after pass; and registrations while they do.
const DRAINS: usize = 8;
const MEMBERS: usize = 200;

/// At +08:00 a time that the session writes is 8 hours ahead; by default it would wait for a lock for 50 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_at_another_clock_while_eight_drain() {
    let stage = Stage::new(Db::MariaDb, "drain::waits::registrations_at_another_clock_while_eight_drain");
    tell(stage, LIMIT, async |stage| {
        let crm = Crm::new(stage, &["--latency", "5ms"], "zhang", BY_COLUMN).await;
        let over = Arc::new(AtomicBool::new(false));
        let (config, folder) = (crm.stage.config(), crm.stage.folder().to_owned());
        let drains: Vec<_> = (0..DRAINS)
            .map(|_| {
                let (over, config, folder) = (over.clone(), config.clone(), folder.clone());
                tokio::spawn(async move {
                    while !over.load(Ordering::Relaxed) {
                        process::run(&folder, &["--config", &config, "-q", "queue", "drain"], &[], "").await.expect_code(0);
                    }
                })
            })
            .collect();
        let mut crms = MySqlConnection::connect(crm.stage.database_url()).await.unwrap();
        crms.execute("SET time_zone = '+08:00', innodb_lock_wait_timeout = 1").await.unwrap();
        let mut slowest = Duration::ZERO;
        for at in 0..MEMBERS {
            let start = Instant::now();
            let insert = format!(
                "INSERT INTO members (member_no, nickname, wechat, created_at, updated_at) VALUES ('W{at}', 'x', 'w{at}', NOW(), NOW())"
            );
            crms.execute(AssertSqlSafe(insert)).await.unwrap();
            slowest = slowest.max(start.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let late = "SELECT COUNT(*) FROM member_notification_queue WHERE available_at > UTC_TIMESTAMP(3) AND status = 'pending' AND claims = 0";
        let late: i64 = crms.fetch_one(late).await.unwrap().get(0);
        assert_eq!(late, 0, "due late");
        assert!(slowest < Duration::from_millis(900), "a registration took {slowest:?}");
        over.store(true, Ordering::Relaxed);
        for drain in drains {
            drain.await.unwrap();
        }
        crm.drain(0).await;
        assert_eq!((crm.count("sent").await, crm.received().await.len()), (MEMBERS as i64, MEMBERS));
    })
    .await;
}
