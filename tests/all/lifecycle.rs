//! Beginning and end as systemd and a load balancer see them, and connections that misbehave meanwhile.

use crate::durability::{push_load, stored_numbers};
use crate::faults::{Stall, fault_stories};
use crate::http::{self, Connection};
use crate::load::End;
use crate::messages::{OPENID, subscribe, text};
use crate::signer::{self, Mode};
use crate::stage::{Stage, until};
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

fault_stories! {
    a_stop_under_load_answers_what_was_sent,
    a_stop_while_the_database_stalls,
    systemd_is_told,
    half_open_connections_stop_nobody,
    a_body_without_a_length_is_bounded,
}

/// SIGTERM amid 48 busy connections: exit 0 within 5 s; who has sent a whole request has an answer, and what
/// was acknowledged is there.
async fn a_stop_under_load_answers_what_was_sent(stage: Stage) {
    for _ in 0..3 {
        stage.execute("DELETE FROM inbox_event").await;
        let mut serve = stage.serve().await;
        let pid = serve.pid().to_string();
        let stopper = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            Instant::now()
        };
        let end = End::After(Duration::from_millis(1500));
        let ((acknowledged, report), stopped) = tokio::join!(push_load(&stage, &serve, end, false), stopper);
        let code = serve.wait().await;
        assert_eq!(code, Some(0), "{}", serve.log());
        assert!(stopped.elapsed() < Duration::from_secs(5), "it took {:?}", stopped.elapsed());
        println!("{report}");
        assert!(acknowledged.len() > 100, "hardly a load: {report}");
        assert_eq!(report.broken, 0, "whole requests without an answer: {report}");
        let stored = stored_numbers(&stage, &acknowledged.events).await;
        assert!(acknowledged.numbers.iter().all(|number| stored.get(number) == Some(&1)), "acknowledged and lost");
        assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state <> 'done'").await, 0, "left in hand");
    }
}

/// The stop does not wait for a database that does not come back: 503 without a spool, exit 0 within 5 s.
async fn a_stop_while_the_database_stalls(mut stage: Stage) {
    stage.settings += "spool_dir = \"off\"\n";
    let stall = Stall::before(&mut stage).await;
    let mut serve = stage.serve().await;
    stage.settled().await;
    stall.begin();
    let push = signer::push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
    let mut connection = Connection::open(serve.address()).await.unwrap();
    connection.write(&request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ((code, time), answer) = tokio::join!(serve.stop(), connection.answer());
    assert_eq!((code, answer.unwrap().status), (Some(0), 503), "{}", serve.log());
    assert!(time < Duration::from_secs(5), "it took {time:?}");
    stall.end();
}

/// READY=1 when it listens, WATCHDOG=1 from then on (`ordeal/watchdog.rs`), STOPPING=1 at the end.
async fn systemd_is_told(mut stage: Stage) {
    let path = stage.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    stage.env.push(("NOTIFY_SOCKET".into(), path.to_str().unwrap().into()));
    stage.env.push(("WATCHDOG_USEC".into(), "400000".into()));
    let mut serve = stage.serve().await;
    let told = || {
        let (mut all, mut buffer) = (String::new(), [0; 4096]);
        while let Ok(count) = socket.recv(&mut buffer) {
            all += &format!("{}\n", String::from_utf8_lossy(&buffer[..count]));
        }
        all
    };
    let mut said = String::new();
    until("READY=1 and WATCHDOG=1", async || {
        said += &told();
        (said.contains("READY=1") && said.contains("WATCHDOG=1")).then_some(())
    })
    .await;
    assert!(said.find("READY=1") < said.find("WATCHDOG=1") && said.contains("STATUS=listening on"), "{said}");

    assert_eq!(serve.stop().await.0, Some(0));
    assert!(told().contains("STOPPING=1"));
}

/// 300 connections with half a head, and 50 with half a body: closed in about 5 s; good pushes and a SIGTERM
/// do not wait for them.
async fn half_open_connections_stop_nobody(stage: Stage) {
    let mut serve = stage.serve().await;
    let push = signer::push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
    let half = |at: usize| {
        let bytes = &request[..at];
        let address = serve.address();
        async move {
            let mut connection = Connection::open(address).await.unwrap();
            connection.write(bytes).await.unwrap();
            connection
        }
    };
    let start = Instant::now();
    let mut open = Vec::new();
    for number in 0..350 {
        open.push(half(if number < 300 { number % 20 } else { request.len() - 7 }).await);
    }
    for id in 0..20 {
        let one = Instant::now();
        assert_eq!(serve.push(&text(OPENID, "x", id)).await.status, 200);
        assert!(one.elapsed() < Duration::from_secs(1), "it took {:?}", one.elapsed());
    }
    for connection in &mut open {
        while !connection.closed().await {}
    }
    let took = start.elapsed();
    assert!((4..7).contains(&took.as_secs()), "closed after {took:?}");
    assert_eq!((stage.stored().await, serve.refused("slow").await), (20, 50.0));

    let mut open = Vec::new();
    for number in 0..300 {
        open.push(half(number % 20).await);
    }
    assert_eq!(serve.push(&text(OPENID, "x", 20)).await.status, 200);
    let (code, time) = serve.stop().await;
    assert_eq!(code, Some(0), "{}", serve.log());
    assert!(time < Duration::from_secs(5), "it took {time:?}");
    assert_eq!(stage.stored().await, 21);
}

/// Chunked, so that no length is told: cut off at 256 KiB; and one that breaks off in the middle is no row.
async fn a_body_without_a_length_is_bounded(stage: Stage) {
    let serve = stage.serve().await;
    let target = signer::push(&stage.keys, Mode::Secure, "").target("/wechat/event");
    let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"8000\r\n".as_slice(), &[b' '; 0x8000], b"\r\n"].concat();
    let mut connection = Connection::open(serve.address()).await.unwrap();
    connection.write(head.as_bytes()).await.unwrap();
    for _ in 0..9 {
        // It may have answered and closed already.
        let _ = connection.write(&chunk).await;
    }
    let answer = connection.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (413, 0));
    assert_eq!(serve.refused("too_large").await, 1.0);

    // A good push in chunks is taken.
    let push = signer::push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let head =
        format!("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", push.target("/wechat/event"));
    let body = [format!("{:x}\r\n", push.body.len()).as_bytes(), &push.body, b"\r\n0\r\n\r\n"].concat();
    let whole = [head.as_bytes(), &body].concat();
    drop(half_sent(&serve, &whole[..whole.len() - 3]).await);
    assert_eq!(http::once(serve.address(), &whole).await.unwrap().status, 200);
    assert_eq!(stage.stored().await, 1);
    assert_eq!(serve.refused("slow").await, 1.0, "the one that broke off is counted");
}

async fn half_sent(serve: &crate::stage::Serve, bytes: &[u8]) -> Connection {
    let mut connection = Connection::open(serve.address()).await.unwrap();
    connection.write(bytes).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    connection
}
