//! Ends and beginnings: killed, stopped, started twice.

use crate::http;
use crate::messages::{OPENID, subscribe, text};
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::stories;
use std::time::{Duration, Instant};

stories! {
    a_restart_after_kill_9_has_everything,
    a_graceful_stop,
    a_second_serve,
    health,
}

async fn a_restart_after_kill_9_has_everything(stage: Stage) {
    let mut serve = stage.serve().await;
    for number in 0..20 {
        let openid = format!("oTEST{number:023}");
        assert_eq!(serve.push(&subscribe(&openid)).await.status, 200);
    }
    serve.kill().await;
    assert_eq!(stage.stored().await, 20, "what was acknowledged is there");

    stage.outlive_leases().await;
    let start = Instant::now();
    let serve = stage.serve().await;
    assert!(start.elapsed() < Duration::from_secs(5), "it takes over at once, not after {:?}", start.elapsed());
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1").await, 20);
    assert_eq!(serve.push(&text(OPENID, "after", 1)).await.status, 200);
    assert_eq!(stage.stored().await, 21);
}

async fn a_graceful_stop(stage: Stage) {
    let mut serve = stage.serve().await;
    let address = serve.address();
    for number in 0..10 {
        assert_eq!(serve.push(&text(OPENID, "x", number)).await.status, 200);
    }
    let (code, time) = serve.stop().await;
    assert_eq!(code, Some(0), "{}", serve.log());
    assert!(time < Duration::from_secs(5), "it took {time:?}");
    assert!(http::get(address, "/readyz").await.is_err(), "nobody listens any more");
    assert_eq!(stage.stored().await, 10);
}

/// SQLite has one writer: a second serve is told so. On MariaDB they share the work.
async fn a_second_serve(stage: Stage) {
    let first = stage.serve().await;
    match stage.db {
        Db::Sqlite => {
            let second = stage.verb(&["serve"]).await.expect_code(75);
            assert!(!second.stderr.is_empty() && second.stdout.is_empty(), "{second:?}");
        }
        Db::MariaDb => {
            let second = stage.serve().await;
            assert_eq!(second.push(&text(OPENID, "to the second", 2)).await.status, 200);
        }
    }
    assert_eq!(first.push(&text(OPENID, "to the first", 1)).await.status, 200);
}

async fn health(stage: Stage) {
    let serve = stage.serve().await;
    for (address, path, status) in [
        (serve.address(), "/healthz", 200),
        (serve.address(), "/readyz", 200),
        (serve.metrics, "/metrics", 200),
        (serve.address(), "/metrics", 404),
        (serve.address(), "/nothing", 404),
    ] {
        assert_eq!(http::get(address, path).await.unwrap().status, status, "{path}");
    }
    // What is known in advance is there as 0.
    assert_eq!(serve.refused("downgrade").await, 0.0);
    let page = http::get(serve.metrics, "/metrics").await.unwrap().text();
    assert!(page.contains("reason=\"downgrade\""), "{page}");
}
