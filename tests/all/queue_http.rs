//! The notification queue within `serve`: a pass that a monitor asks for, and the queue drained there.

use crate::drain::{Crm, stories};
use crate::http::{self, Answer, request};
use crate::reload::take_up;
use crate::stage::{Serve, Stage, until};
use serde_json::Value;
use std::time::{Duration, Instant};

stories! {
    whoever_may_starts_a_pass,
    what_stands_in_the_way_is_told,
    serve_drains_the_queue_where_it_is_told_to,
}

const PATH: &str = "/api/wecom/process-queue";
const MONITOR: &str = "the-token-of-the-monitor-0123456789abc";
const READER: &str = "the-token-of-the-reader-0123456789abcd";
const FAR: &str = "the-token-of-a-far-host-0123456789abcd";
const ADMIN: &str = "the-token-of-the-admin-0123456789abcdef";

/// A server with three clients and the admin, of whom the reader has another scope and the far host another address.
async fn open(crm: &mut Crm) -> Serve {
    let client = |name: &str, token: &str, more: &str| {
        let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
        let hash: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[client]]\nname = \"{name}\"\ntoken_sha256 = \"{hash}\"\n{more}\n")
    };
    let scope = "scopes = [\"queue:process\"]\n";
    crm.stage.account_settings = client("monitor", MONITOR, scope)
        + &client("reader", READER, "scopes = [\"token:*\"]")
        + &client("far", FAR, &format!("{scope}addresses = [\"10.0.7.0/24\"]"));
    crm.stage.settings.insert_str(0, &format!("api_token = \"{ADMIN}\"\n"));
    crm.stage.serve().await
}

async fn call(serve: &Serve, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [headers, &[("Connection", "close")]].concat();
    http::once(serve.address(), &request(method, path, &headers, b"")).await.unwrap()
}

async fn ask(serve: &Serve, method: &str, token: &str) -> Answer {
    call(serve, method, PATH, &[("Authorization", &format!("Bearer {token}"))]).await
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

async fn whoever_may_starts_a_pass(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    let serve = open(&mut crm).await;
    crm.register(2, 2).await;
    let in_query = format!("{PATH}?token={MONITOR}&access_token={MONITOR}");
    let cookie = format!("token={MONITOR}");
    for (path, headers) in [
        (PATH, &[][..]),
        (&in_query, &[]),
        (PATH, &[("Cookie", cookie.as_str())]),
        (PATH, &[("Authorization", MONITOR)]),
    ] {
        let refused = call(&serve, "GET", path, headers).await;
        assert_eq!(refused.status, 401, "{path} {headers:?}");
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        assert!(refused.header("x-request-id").is_some());
    }
    assert_eq!(ask(&serve, "POST", "somebody-elses-token-0123456789abcdef").await.status, 401);
    for (token, why) in [(READER, "queue:process"), (FAR, "address")] {
        let refused = ask(&serve, "POST", token).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains(why), "{}", refused.text());
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let refused = ask(&serve, method, MONITOR).await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, POST")), "{method}");
    }
    assert_eq!((crm.count("pending").await, crm.received().await.len()), (2, 0), "nobody of those has started a pass");

    let done = ask(&serve, "GET", MONITOR).await;
    let counts = json_of(&done);
    assert_eq!((done.status, &counts["claimed"], &counts["sent"]), (200, &2.into(), &2.into()), "{counts}");
    assert_eq!((done.header("cache-control"), &counts["error"]), (Some("no-store"), &Value::Null));
    assert_eq!(crm.received().await.len(), 2);
    let idle = json_of(&ask(&serve, "POST", MONITOR).await);
    assert_eq!((&idle["claimed"], &idle["sent"]), (&0.into(), &0.into()), "{idle}");
    crm.register(1, 1).await;
    let again = json_of(&ask(&serve, "POST", ADMIN).await);
    assert_eq!(again["sent"], 1, "{again}");
    let log = serve.log();
    assert!(log.lines().any(|line| line.contains("client=monitor") && line.contains("sent=2")), "{log}");
    assert!([MONITOR, READER, FAR, ADMIN].iter().all(|token| !log.contains(token)), "{log}");
}

/// The platform refuses every message: the rows wait, and whoever asked is told why.
async fn what_stands_in_the_way_is_told(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    let serve = open(&mut crm).await;
    crm.register(1, 1).await;
    crm.platform.faults(&["ip-not-listed=1"]).await;
    let refused = ask(&serve, "POST", MONITOR).await;
    let told = json_of(&refused);
    assert_eq!((refused.status, &told["error"]["errcode"], &told["sent"]), (502, &60020.into(), &0.into()), "{told}");
    assert_eq!(crm.stage.number("SELECT attempts FROM member_notification_queue WHERE status = 'pending'").await, 0);
    crm.platform.faults(&[]).await;
    assert_eq!(json_of(&ask(&serve, "GET", MONITOR).await)["sent"], 1);
    // Without its table nothing can be sent, which is the configuration's fault.
    crm.stage.verb(&["queue", "rollback", "--yes"]).await.expect_code(0);
    let gone = ask(&serve, "POST", MONITOR).await;
    assert!(gone.status >= 500, "{}", gone.text());
}

/// A switch of the file, which a reload takes up.
async fn serve_drains_the_queue_where_it_is_told_to(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "in_serve = true").await;
    let mut serve = None;
    take_up(&crm.stage, &mut serve).await;
    let sent = async |crm: &Crm, count: i64| {
        until("them to be sent", async || (crm.count("sent").await == count).then_some(())).await
    };
    crm.register(1, 1).await;
    sent(&crm, 1).await;
    let start = Instant::now();
    crm.register(1, 1).await;
    sent(&crm, 2).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());

    crm.queue = "in_serve = false".into();
    crm.configure();
    take_up(&crm.stage, &mut serve).await;
    // Once what is open has been closed, a member stays untold for longer than any look takes.
    until("a member whom nobody is told of", async || {
        crm.register(1, 1).await;
        tokio::time::sleep(Duration::from_millis(900)).await;
        (crm.count("pending").await > 0).then_some(())
    })
    .await;
    let all = crm.stage.number("SELECT COUNT(*) FROM member_notification_queue").await;
    crm.queue = "in_serve = true".into();
    crm.configure();
    take_up(&crm.stage, &mut serve).await;
    sent(&crm, all).await;
    assert_eq!(crm.received().await.len(), usize::try_from(all).unwrap(), "each was told of once");
    assert_eq!(serve.as_mut().unwrap().stop().await.0, Some(0));
}
