//! What strangers can make the server keep.

use super::{memory, stage, stage_with_files};
use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::signer::{self, Mode};
use crate::stage::{Stage, until};
use crate::stories::tell;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

const LIMIT: Duration = Duration::from_secs(20);
/// Connections that send their bodies in single bytes, and how many of them.
const DRIPS: u64 = 20;
const PIECES: usize = 2_000;
/// What they may cost, KiB: it was over 20 MiB when each piece stayed in the buffer it was read into.
const FEW: u64 = 8 * 1024;
/// What it may grow by, KiB.
const GROWTH: u64 = 48 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_byte_by_byte_takes_no_more_than_its_length() {
    tell(stage("attackers::memory::a_body_byte_by_byte_takes_no_more_than_its_length"), LIMIT, byte_by_byte).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_bodies_are_not_kept() {
    tell(stage_with_files("attackers::memory::strangers_bodies_are_not_kept", 4_000), LIMIT, not_kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_cut() {
    tell(stage("attackers::memory::who_does_not_read_is_cut"), LIMIT, unread).await;
}

/// Every piece that arrives alone was once a buffer of 8 KiB that stayed until the end.
async fn byte_by_byte(stage: Stage) {
    let serve = stage.serve().await;
    assert_eq!(serve.push(&text(OPENID, "x", 1)).await.status, 200);
    let (_, before) = memory(&serve);
    let mut drips = JoinSet::new();
    for number in 0..DRIPS {
        let push = signer::push(&stage.keys, Mode::Secure, &text(OPENID, &"x".repeat(PIECES), number));
        let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
        let head = request.len() - push.body.len();
        let mut stream = TcpStream::connect(serve.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        drips.spawn(async move {
            stream.write_all(&request[..head]).await.unwrap();
            let mut beat = tokio::time::interval(Duration::from_millis(1));
            for byte in &request[head..head + PIECES] {
                // So that the server reads each alone, as far as it keeps up.
                beat.tick().await;
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            stream
        });
    }
    let open = drips.join_all().await;
    let (_, most) = memory(&serve);
    println!("{} KiB more for {} kB", most - before, DRIPS as usize * PIECES / 1000);
    assert!(most - before < FEW, "{before} KiB before, {most} KiB at most");
    drop(open);
    assert_eq!(serve.push(&text(OPENID, "x", 1_000)).await.status, 200);
    assert_eq!(stage.stored().await, 2);
}

/// 1,000 connections that send nearly all of 250 kB and stop, with no signature: not 250 MB.
async fn not_kept(stage: Stage) {
    let serve = stage.serve().await;
    let (_, before) = memory(&serve);
    let push = signer::push(&stage.keys, Mode::Secure, "x").set("signature", &"0".repeat(40));
    let request = http::request("POST", &push.target("/wechat/event"), &[], &vec![b'x'; 250_000]);
    let mut open = Vec::new();
    for _ in 0..1_000 {
        let mut connection = Connection::open(serve.address()).await.unwrap();
        connection.write(&request[..request.len() - 1]).await.unwrap();
        open.push(connection);
    }
    assert_eq!(serve.push(&text(OPENID, "meanwhile", 1)).await.status, 200);
    for connection in &mut open {
        let answer = connection.answer().await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (408, 0));
    }
    let (_, most) = memory(&serve);
    println!("{} KiB more for 250 MB", most - before);
    assert!(most - before < 2 * GROWTH, "{before} KiB before, {most} KiB at most");
}

/// Asks on and on and reads no answer, until nothing more can be written to it: cut, for all that it asked for.
async fn unread(stage: Stage) {
    let serve = stage.serve().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let mut stream = socket.connect(serve.address()).await.unwrap();
    let requests = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let flood = async { while stream.write_all(&requests).await.is_ok() {} };
    let cut = tokio::time::timeout(LIMIT, flood).await;
    assert!(cut.is_ok(), "never cut");
    until("the connection to be gone", async || {
        let tables = std::fs::read_dir(format!("/proc/{}/fd", serve.pid())).unwrap();
        let sockets = tables.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        // Its two listeners, the database, the platform: not one more for each who does not read.
        (sockets.filter(|link| link.to_string_lossy().starts_with("socket:")).count() < 12).then_some(())
    })
    .await;
    assert_eq!(serve.push(&text(OPENID, "x", 1)).await.status, 200);
}
