//! Requests that no client makes: each ends as the contract says, none as a 5xx, and the next good push is stored.

use super::{memory, stage};
use crate::http::Connection;
use crate::messages::{OPENID, text};
use crate::signer::{self, Push};
use crate::stage::{Serve, Stage};
use crate::stories::tell;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(40);
/// What all of them together may leave in memory, KiB.
const GROWTH: u64 = 32 * 1024;
/// Not on a callback route.
const BESIDE: [&str; 2] = ["two slashes", "CONNECT"];
/// For the first answer. A head that is not whole is cut later, and without a word.
const FIRST: Duration = Duration::from_secs(4);
/// The connection is closed without a word.
const CLOSED: u16 = 0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_end_as_they_should() {
    tell(stage("attackers::requests::odd_requests_end_as_they_should"), LIMIT, odd).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_is_never_two() {
    tell(stage("attackers::requests::one_request_is_never_two"), LIMIT, smuggled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_heard_however_long_the_body() {
    tell(stage("attackers::requests::a_refusal_is_heard_however_long_the_body"), LIMIT, heard).await;
}

/// A good push of its own number.
fn good(stage: &Stage, number: u64) -> Push {
    signer::push(&stage.keys, stage.mode, &text(OPENID, "x", number))
}

/// The statuses of all answers on one connection, until it is closed or silent for `patience`.
async fn statuses(serve: &Serve, bytes: &[u8], patience: Duration) -> Vec<(u16, usize)> {
    let mut connection = Connection::open(serve.address()).await.unwrap();
    // It may have answered and closed before all is written.
    let _ = connection.write(bytes).await;
    let mut answers = Vec::new();
    // The first may take its time on a busy machine.
    let mut wait = FIRST;
    while let Ok(Ok(answer)) = tokio::time::timeout(wait, connection.answer()).await {
        answers.push((answer.status, answer.body.len()));
        wait = patience;
    }
    answers
}

async fn odd(stage: Stage) {
    let serve = stage.serve().await;
    let (before, _) = memory(&serve);
    let mut number = 0;
    for (what, bytes, expected) in cases(&stage) {
        let answers = statuses(&serve, &bytes, Duration::from_millis(150)).await;
        let first = answers.first().map_or(CLOSED, |(status, _)| *status);
        assert!(expected.contains(&first), "{what}: {answers:?}, and not {expected:?}");
        // Beside the callback routes a 404 has words.
        let silent = |(status, length): &(u16, usize)| *length == 0 || (BESIDE.contains(&what) && *status == 404);
        assert!(answers.iter().all(silent), "{what}: a body: {answers:?}");
        assert!(answers.iter().all(|(status, _)| *status < 500), "{what}: {answers:?}");
        number += 1;
        let rows = stage.stored().await;
        assert_eq!(serve.push(&text(OPENID, what, 1_000_000 + number)).await.status, 200, "{what}: the next good push");
        assert_eq!(stage.stored().await, rows + 1, "{what}: the next good push");
    }
    assert!(number > 45, "{number} cases");
    let (after, _) = memory(&serve);
    assert!(after.saturating_sub(before) < GROWTH, "{before} KiB before, {after} KiB after");
    let log = serve.log();
    assert!(!log.contains("panicked") && !log.contains(" ERROR "), "{log}");
}

/// What is sent, and the status of the first answer.
fn cases(stage: &Stage) -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let target = |number| good(stage, number).target("/wechat/event");
    let line = |method: &str, target: &str, version: &str, rest: &str, body: &[u8]| -> Vec<u8> {
        [format!("{method} {target} {version}\r\nHost: x\r\n{rest}\r\n").as_bytes(), body].concat()
    };
    let post = |target: &str, rest: &str, body: &[u8]| line("POST", target, "HTTP/1.1", rest, body);
    let sized = |target: &str, rest: &str, body: &[u8]| {
        post(target, &format!("Content-Length: {}\r\n{rest}", body.len()), body)
    };
    // One push whole, with something odd about the rest.
    let whole = |number: u64, rest: &str| {
        let push = good(stage, number);
        sized(&push.target("/wechat/event"), rest, &push.body)
    };
    let at = |number: u64, path: &str| {
        let push = good(stage, number);
        sized(&push.target(path), "", &push.body)
    };
    let chunked = |number: u64, chunks: &[u8]| post(&target(number), "Transfer-Encoding: chunked\r\n", chunks);
    let in_chunks = |number: u64, extension: &str, trailer: &str| {
        let push = good(stage, number);
        let mut body = format!("{:x}{extension}\r\n", push.body.len()).into_bytes();
        body.extend_from_slice(&push.body);
        body.extend_from_slice(format!("\r\n0\r\n{trailer}\r\n").as_bytes());
        post(&push.target("/wechat/event"), "Transfer-Encoding: chunked\r\n", &body)
    };
    let parameters = |count: usize| -> String { (0..count).map(|n| format!("&p{n}=%41")).collect() };
    let headers = |count: usize, length: usize| -> String {
        (0..count).map(|n| format!("X-{n}: {}\r\n", "y".repeat(length))).collect()
    };
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xb3\xa9\xc8\xcd\xb1\xd3\x07\x00";
    vec![
        (
            "HTTP/1.0",
            {
                let push = good(stage, 1);
                let rest = format!("Content-Length: {}\r\n", push.body.len());
                line("POST", &push.target("/wechat/event"), "HTTP/1.0", &rest, &push.body)
            },
            &[200],
        ),
        (
            "HTTP/1.0 in chunks",
            line("POST", &target(2), "HTTP/1.0", "Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
            &[400, 403, CLOSED],
        ),
        ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(), &[400, CLOSED]),
        ("HTTP/3.0", line("POST", &target(3), "HTTP/3.0", "", b""), &[400, CLOSED]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40), &[400, CLOSED]),
        ("nothing but blank lines", b"\r\n".repeat(20_000), &[CLOSED, 400, 431]),
        ("zeros", vec![0; 100_000], &[400, CLOSED]),
        ("a NUL in the path", line("POST", "/wechat/ev\0ent", "HTTP/1.1", "", b""), &[400]),
        ("a NUL in a header", post(&target(4), "X: a\0b\r\nContent-Length: 0\r\n", b""), &[400]),
        (
            "a NUL in the query",
            at(5, "/wechat/event").iter().map(|b| if *b == b'&' { 0 } else { *b }).collect(),
            &[400],
        ),
        ("a header without a name", post(&target(6), ": x\r\n", b""), &[400]),
        ("a header over two lines", post(&target(7), "X: a\r\n b\r\nContent-Length: 0\r\n", b""), &[400, 403]),
        ("a blank before the colon", post(&target(8), "Content-Length : 0\r\n", b""), &[400]),
        ("100 headers and more", whole(9, &headers(200, 8)), &[431]),
        ("90 headers", whole(10, &headers(90, 8)), &[200]),
        ("a header of 1 MB", whole(11, &headers(1, 1_000_000)), &[431]),
        ("a path of 70 kB", at(12, &format!("/wechat/{}", "e".repeat(70_000))), &[414, 431, CLOSED]),
        (
            "3,000 parameters",
            {
                let push = good(stage, 14);
                sized(&format!("{}{}", push.target("/wechat/event"), parameters(3_000)), "", &push.body)
            },
            &[200],
        ),
        (
            "3,000 signatures",
            {
                let push = good(stage, 15);
                sized(&format!("{}{}", push.target("/wechat/event"), "&signature=x".repeat(3_000)), "", &push.body)
            },
            &[403],
        ),
        ("a query of nothing but marks", sized(&format!("/wechat/event?{}", "&=%".repeat(10_000)), "", b""), &[403]),
        ("no query", sized("/wechat/event", "", b"<xml/>"), &[403]),
        ("no body", post(&target(16), "", b""), &[403]),
        ("two lengths", whole(17, "Content-Length: 3\r\n"), &[400]),
        ("a length with a sign", post(&target(18), "Content-Length: +3\r\n", b"abc"), &[400]),
        ("a negative length", post(&target(19), "Content-Length: -1\r\n", b"abc"), &[400]),
        ("a length in hex", post(&target(20), "Content-Length: 0x3\r\n", b"abc"), &[400]),
        ("a length of 2^64", post(&target(21), "Content-Length: 18446744073709551616\r\n", b"abc"), &[400]),
        ("a length of 2^63", post(&target(22), "Content-Length: 9223372036854775808\r\n", b"abc"), &[413, 400]),
        ("an unknown coding", post(&target(23), "Transfer-Encoding: gzip\r\n", gzip), &[400, 403]),
        ("chunked twice named", post(&target(24), "Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), &[400]),
        ("a chunk without end", chunked(25, b"ffffffffffffffffffff\r\nabc"), &[408, 400]),
        ("a chunk of 2^63", chunked(26, b"7fffffffffffffff\r\nabc\r\n0\r\n\r\n"), &[413, 408, 400, CLOSED]),
        ("a chunk in words", chunked(27, b"three\r\nabc\r\n0\r\n\r\n"), &[408, 400]),
        ("a chunk with a long extension", in_chunks(28, &format!(";x={}", "y".repeat(60_000)), ""), &[408, 400]),
        ("a chunk with a short extension", in_chunks(29, ";x=y", ""), &[200]),
        ("a trailer", in_chunks(30, "", "X-After: 1\r\n"), &[200]),
        ("a trailer of 100 kB", in_chunks(31, "", &headers(1, 100_000)), &[408, 400, 200]),
        ("10,000 trailers", in_chunks(32, "", &headers(10_000, 4)), &[408, 400, 200]),
        (
            "one byte a chunk",
            {
                let push = good(stage, 33);
                let chunks: Vec<u8> =
                    push.body.iter().flat_map(|byte| [b'1', b'\r', b'\n', *byte, b'\r', b'\n']).collect();
                post(
                    &push.target("/wechat/event"),
                    "Transfer-Encoding: chunked\r\n",
                    &[&chunks[..], b"0\r\n\r\n"].concat(),
                )
            },
            &[200],
        ),
        ("an absolute URI", at(34, "http://elsewhere.example/wechat/event"), &[200]),
        ("an encoded path", at(35, "/wechat/%65vent"), &[404]),
        ("an encoded slash", at(36, "/wechat%2fevent"), &[404]),
        ("a path with dots", at(37, "/wechat/event/../event"), &[404]),
        ("two slashes", at(38, "//wechat/event"), &[404]),
        ("an account in no text", at(39, "/wechat/%ff%fe/event"), &[404]),
        ("an account with a NUL", at(40, "/wechat/main%00/event"), &[404]),
        ("an account of 10 kB", at(41, &format!("/wechat/{}/event", "m".repeat(10_000))), &[404]),
        ("PUT", line("PUT", &target(42), "HTTP/1.1", "Content-Length: 0\r\n", b""), &[405]),
        ("DELETE", line("DELETE", &target(43), "HTTP/1.1", "", b""), &[405]),
        ("BREW", line("BREW", &target(44), "HTTP/1.1", "", b""), &[405]),
        ("TRACE", line("TRACE", &target(45), "HTTP/1.1", "", b""), &[405]),
        ("CONNECT", line("CONNECT", "elsewhere.example:443", "HTTP/1.1", "", b""), &[404, 405, 400]),
        (
            "an upgrade",
            whole(46, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
            &[200],
        ),
        ("gzip", sized(&target(47), "Content-Encoding: gzip\r\n", gzip), &[403]),
        ("a body of zeros", sized(&target(48), "", &[0; 10_000]), &[403]),
        ("a body of open brackets", sized(&target(49), "", &b"<".repeat(200_000)), &[403]),
        ("a body of open elements", sized(&target(50), "", &b"<xml>".repeat(40_000)), &[403]),
        (
            "a body of CDATA",
            sized(&target(51), "", &[b"<xml>".as_slice(), &b"<![CDATA[]]>".repeat(20_000), b"</xml>"].concat()),
            &[403],
        ),
        (
            "a body of references",
            sized(&target(52), "", &[b"<xml>".as_slice(), &b"&#x10FFFF;".repeat(20_000), b"</xml>"].concat()),
            &[403],
        ),
        ("asks whether to go on", whole(53, "Expect: 100-continue\r\n"), &[100, 200]),
        (
            "asks whether to go on with 10 MB",
            post(&target(54), "Expect: 100-continue\r\nContent-Length: 10000000\r\n", b""),
            &[413],
        ),
    ]
}

/// A request inside another's body is not taken for one, and pipelined requests are answered one by one.
async fn smuggled(stage: Stage) {
    let serve = stage.serve().await;
    let (one, two, hidden) = (good(&stage, 1), good(&stage, 2), good(&stage, 3));
    let whole = |push: &Push| crate::http::request("POST", &push.target("/wechat/event"), &[], &push.body);
    let spoilt = good(&stage, 4).set("signature", &"0".repeat(40));
    let pipelined = [whole(&one), whole(&spoilt), whole(&two)].concat();
    let answers = statuses(&serve, &pipelined, Duration::from_secs(1)).await;
    assert_eq!(answers, [(200, 0), (403, 0), (200, 0)]);
    assert_eq!(stage.stored().await, 2);

    // Both lengths: a proxy may go by the one and we by the other. Whatever follows is not looked at.
    let inside = whole(&hidden);
    for chunked in ["chunked", "Chunked", "identity, chunked", "chunked\r\nTransfer-Encoding: chunked"] {
        let body = [b"0\r\n\r\n".as_slice(), &inside].concat();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: {chunked}\r\n\r\n",
            one.target("/wechat/event"),
            body.len()
        );
        let answers = statuses(&serve, &[head.as_bytes(), &body].concat(), Duration::from_millis(300)).await;
        assert!(answers.len() <= 1 && answers.iter().all(|(status, _)| [400, 403].contains(status)), "{answers:?}");
        assert_eq!(stage.stored().await, 2, "{chunked}: the hidden push was taken");
    }
    assert_eq!(serve.send(&hidden).await.status, 200);
    assert_eq!(stage.stored().await, 3);
}

/// Who sends on while it is refused hears why, and no reset.
async fn heard(stage: Stage) {
    let serve = stage.serve().await;
    let push = good(&stage, 1);
    for (path, status) in [("/wechat/event", 413), ("/wechat/nobody/event", 404)] {
        for _ in 0..5 {
            let mut connection = Connection::open(serve.address()).await.unwrap();
            let request = crate::http::request("POST", &push.target(path), &[], &vec![b'x'; 20_000_000]);
            connection.write(&request).await.expect("the whole body is taken");
            let answer = connection.answer().await.expect("an answer");
            assert_eq!((answer.status, answer.body.len()), (status, 0), "{path}");
        }
    }
}
