//! Bad input, row by row: status, counter, at most one log line, no row, no secret, and the next good push is stored.

use crate::http::{self, Connection};
use crate::messages::{OPENID, event, subscribe, text};
use crate::signer::{self, Keys, Mode, Push, encrypt, encrypt_padded, now, push, sealed};
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use std::time::{Duration, Instant};

stories! {
    signatures,
    sealed_wrongly,
    other_keys,
    documents,
    fields,
    sizes,
    an_unknown_account,
    an_unknown_type_is_stored,
    a_slow_head,
    a_slow_body,
    dropped_in_the_middle,
    stale_is_counted_and_accepted,
    stale_is_refused_with_a_window,
}

/// Sends what must be refused and looks at everything a user would see of it.
async fn refuse(stage: &Stage, serve: &Serve, what: &str, bad: &Push, reasons: &[&str], status: u16) {
    let (rows, log) = (stage.stored().await, serve.log().len());
    let before = counted(serve, reasons).await;
    let answer = serve.send(bad).await;
    assert_eq!((answer.status, answer.body.len()), (status, 0), "{what}");
    assert_eq!(counted(serve, reasons).await, before + 1.0, "{what}: one refusal for {reasons:?}");
    assert_eq!(stage.stored().await, rows, "{what}: nothing is stored");

    // Lines come after the answers: the good push and the refusal before this one may be logged only now.
    let whole = serve.log();
    let said = whole[log..].to_owned();
    let refused = |line: &&str| line.contains("callback refused: ");
    let (lines, refusals) =
        (whole.lines().filter(refused).count(), serve.metric("wxops_callback_refused_total", &[]).await);
    assert!(lines as f64 <= refusals, "{what}: at most one line a refusal, not {lines} of {refusals}\n{whole}");
    let others = said.lines().filter(|line| !line.contains(" INFO event ")).filter(|line| !refused(line)).count();
    assert_eq!(others, 0, "{what}: no other line\n{said}");
    let Keys { token, aes_key, secret, .. } = &stage.keys;
    assert!([token, aes_key, secret].iter().all(|word| !said.contains(word.as_str())), "{what}: {said}");

    assert_eq!(serve.push(&text(OPENID, what, rand::random::<u32>().into())).await.status, 200, "{what}");
    assert_eq!(stage.stored().await, rows + 1, "{what}: the next good push is stored");
}

async fn counted(serve: &Serve, reasons: &[&str]) -> f64 {
    let mut sum = 0.0;
    for reason in reasons {
        sum += serve.refused(reason).await;
    }
    sum
}

async fn signatures(stage: Stage) {
    let serve = stage.serve().await;
    let good = || push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let zeros = "0".repeat(40);
    let copy = good();
    let signature = copy.query.iter().find(|(name, _)| name == "signature").unwrap().1.clone();
    let clear = push(&stage.keys, Mode::Plain, &subscribe(OPENID));
    for (what, bad, reason) in [
        ("wrong signature", good().set("signature", &zeros), "signature"),
        ("empty signature", good().set("signature", ""), "signature"),
        ("no signature", good().without("signature"), "missing_parameter"),
        ("no nonce", good().without("nonce"), "missing_parameter"),
        ("signature twice", good().doubled("signature"), "duplicate_parameter"),
        ("wrong msg_signature", good().set("msg_signature", &zeros), "msg_signature"),
        ("msg_signature copied", copy.clone().set("msg_signature", &signature), "msg_signature"),
        ("no msg_signature", good().without("msg_signature"), "missing_parameter"),
        ("timestamp in words", good().set("timestamp", "yesterday"), "timestamp"),
        ("unknown encrypt_type", good().set("encrypt_type", "AES"), "encrypt_type"),
        ("clear text", clear.clone(), "downgrade"),
        ("clear text called raw", clear.set("encrypt_type", "raw"), "downgrade"),
        ("empty body", good().with_body(""), "downgrade"),
    ] {
        let reasons = if what == "empty body" { &["downgrade", "xml", "missing_field"][..] } else { &[reason] };
        let reasons = if what == "empty signature" { &["signature", "missing_parameter"] } else { reasons };
        refuse(&stage, &serve, what, &bad, reasons, 403).await;
    }
}

async fn sealed_wrongly(stage: Stage) {
    let serve = stage.serve().await;
    let keys = &stage.keys;
    let message = subscribe(OPENID);
    let good = encrypt(keys, [7; 16], message.as_bytes());
    let around = |encrypt: &str| sealed(keys, Mode::Secure, encrypt, "", now());
    let cut = &good[..good.len() - 24];
    let not_blocks = format!("{}A", &good[..good.len() - 1]);
    let mut padding = vec![7u8; 32];
    padding[31] = 33;
    for (what, encrypt) in [
        ("truncated", cut),
        ("no base64", "***not base64***"),
        ("no whole blocks", &not_blocks[..not_blocks.len() - 3]),
        ("empty", ""),
        ("bad padding", &encrypt_padded(keys, padding)),
        ("zero padding", &encrypt_padded(keys, vec![0; 64])),
    ] {
        refuse(&stage, &serve, what, &around(encrypt), &["decrypt", "appid", "missing_field", "downgrade"], 403).await;
    }
}

async fn other_keys(stage: Stage) {
    let serve = stage.serve().await;
    let message = subscribe(OPENID);
    let other_appid = Keys { app_id: "wx9999999999999999".into(), ..stage.keys.clone() };
    let other_key = Keys { aes_key: "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w".into(), ..stage.keys.clone() };
    let other_token = Keys { token: "someoneElse1".into(), ..stage.keys.clone() };
    let foreign = message.replace(&stage.keys.original_id, "gh_ffffffffffff");
    let of = |keys: &Keys, xml: &str| push(keys, Mode::Secure, xml);
    refuse(&stage, &serve, "another appid inside", &of(&other_appid, &message), &["appid"], 403).await;
    refuse(&stage, &serve, "another key", &of(&other_key, &message), &["decrypt", "appid"], 403).await;
    refuse(&stage, &serve, "another token", &of(&other_token, &message), &["signature"], 403).await;
    refuse(&stage, &serve, "another account's message", &of(&stage.keys, &foreign), &["foreign_account"], 403).await;
}

async fn documents(stage: Stage) {
    let serve = stage.serve().await;
    let bomb = "<!DOCTYPE xml [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><xml>&b;</xml>";
    let attributes: String = (0..20_000).map(|number| format!(" a{number}=\"\"")).collect();
    let deep = format!("<xml>{}{}</xml>", "<a>".repeat(5000), "</a>".repeat(5000));
    let doubled = subscribe(OPENID).replace("<CreateTime>", "<CreateTime>1735660800</CreateTime><CreateTime>");
    for (what, inner, reason) in [
        ("a DTD bomb", bomb.to_owned(), "doctype"),
        ("20,000 attributes", format!("<xml{attributes}></xml>"), "xml"),
        ("depth 5000", deep, "xml"),
        ("cut in the middle", subscribe(OPENID)[..120].to_owned(), "xml"),
        ("another root", subscribe(OPENID).replace("xml>", "html>"), "xml"),
        ("a field twice", doubled, "duplicate_field"),
        ("nothing", String::new(), "xml"),
    ] {
        let reasons = if what.contains("attributes") { &["xml", "missing_field"][..] } else { &[reason] };
        refuse(&stage, &serve, what, &push(&stage.keys, Mode::Secure, &inner), reasons, 403).await;
    }
    let bytes = [subscribe(OPENID).as_bytes(), b"\xff\xfe"].concat();
    let invalid = sealed(&stage.keys, Mode::Secure, &encrypt(&stage.keys, [7; 16], &bytes), "", now());
    refuse(&stage, &serve, "invalid UTF-8", &invalid, &["decrypt"], 403).await;
}

async fn fields(stage: Stage) {
    let serve = stage.serve().await;
    let whole = event("subscribe", OPENID, "");
    let created = format!("<CreateTime>{}", now());
    let with_time = |time: &str| {
        let (head, rest) = whole.split_once("<CreateTime>").unwrap();
        format!("{head}<CreateTime>{time}{}", &rest[rest.find('<').unwrap()..])
    };
    assert!(whole.contains(&created[..created.len() - 2]));
    let without = |name: &str| {
        let (from, to) = (whole.find(&format!("<{name}>")).unwrap(), format!("</{name}>"));
        format!("{}{}", &whole[..from], &whole[whole.find(&to).unwrap() + to.len()..])
    };
    for (what, inner, reason) in [
        ("no FromUserName", without("FromUserName"), "missing_field"),
        ("no CreateTime", without("CreateTime"), "missing_field"),
        ("no MsgType", without("MsgType"), "missing_field"),
        ("a negative CreateTime", with_time("-1"), "bad_field"),
        ("a huge CreateTime", with_time("99999999999999999999"), "bad_field"),
        ("CreateTime of 1970", with_time("1"), "bad_field"),
        ("CreateTime in words", with_time("now"), "bad_field"),
        ("an openid with a blank", whole.replace(OPENID, "o TEST"), "bad_field"),
        ("an openid of 65 letters", whole.replace(OPENID, &"o".repeat(65)), "bad_field"),
    ] {
        refuse(&stage, &serve, what, &push(&stage.keys, Mode::Secure, &inner), &[reason], 403).await;
    }
}

async fn sizes(stage: Stage) {
    let serve = stage.serve().await;
    let big = push(&stage.keys, Mode::Secure, &subscribe(OPENID)).with_body(vec![b' '; 256 * 1024 + 1]);
    refuse(&stage, &serve, "256 KiB and one", &big, &["too_large"], 413).await;

    // 10 MiB are announced and not sent: the answer must not wait for them.
    let start = Instant::now();
    let mut connection = Connection::open(serve.address()).await.unwrap();
    let target = push(&stage.keys, Mode::Secure, "").target("/wechat/event");
    let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n<xml>");
    connection.write(head.as_bytes()).await.unwrap();
    let answer = connection.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (413, 0));
    assert!(start.elapsed() < Duration::from_secs(1), "refused unread");
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
}

async fn an_unknown_account(stage: Stage) {
    let serve = stage.serve().await;
    let push = push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    for (path, status) in [("/wechat/nobody/event", 404), ("/wechat/event/", 404), ("/wechat/main/event", 200)] {
        let answer =
            http::once(serve.address(), &http::request("POST", &push.target(path), &[], &push.body)).await.unwrap();
        assert_eq!(answer.status, status, "{path}");
        assert!(status == 200 || answer.body.is_empty(), "{path}");
    }
    assert_eq!(serve.refused("unknown_account").await, 2.0);
    until("the path in the log", async || serve.log().contains("/wechat/event/").then_some(())).await;
    assert_eq!(stage.stored().await, 1);
}

async fn an_unknown_type_is_stored(stage: Stage) {
    let serve = stage.serve().await;
    let unknown = text(OPENID, "x", 5).replace("<![CDATA[text]]>", "<![CDATA[hologram]]>");
    assert_eq!(serve.push(&unknown).await.status, 200);
    assert_eq!(serve.push(&event("moonlanding", OPENID, "")).await.status, 200);
    let rows = stage.rows("SELECT kind FROM inbox_event").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row[0].as_deref() == Some("unknown")), "{rows:?}");
    stage.settled().await;
}

/// A head that never ends is cut by the limit of 5 s, and others are served meanwhile.
async fn a_slow_head(stage: Stage) {
    let serve = stage.serve().await;
    let start = Instant::now();
    let mut connection = Connection::open(serve.address()).await.unwrap();
    connection.write(b"POST /wechat/event HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    let _ = connection.answer().await;
    assert!((3..8).contains(&start.elapsed().as_secs()), "cut after {:?}", start.elapsed());
}

async fn a_slow_body(stage: Stage) {
    let serve = stage.serve().await;
    let slow = push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let request = http::request("POST", &slow.target("/wechat/event"), &[], &slow.body);
    let mut connection = Connection::open(serve.address()).await.unwrap();
    connection.write(&request[..request.len() - 10]).await.unwrap();
    assert_eq!(serve.push(&text(OPENID, "meanwhile", 9)).await.status, 200);
    let answer = connection.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (408, 0));
    assert_eq!((serve.refused("slow").await, stage.stored().await), (1.0, 1));
}

async fn dropped_in_the_middle(stage: Stage) {
    let serve = stage.serve().await;
    let half = push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let request = http::request("POST", &half.target("/wechat/event"), &[], &half.body);
    for part in [1, 3, 10, request.len() / 2, request.len() - 1] {
        let mut connection = Connection::open(serve.address()).await.unwrap();
        connection.write(&request[..part]).await.unwrap();
    }
    assert_eq!(serve.push(&text(OPENID, "after", 10)).await.status, 200);
    assert_eq!(stage.stored().await, 1);
}

async fn stale_is_counted_and_accepted(stage: Stage) {
    let serve = stage.serve().await;
    let old = signer::push_at(&stage.keys, Mode::Secure, &subscribe(OPENID), now() - 86_400);
    assert_eq!(serve.send(&old).await.status, 200);
    assert_eq!(stage.stored().await, 1);
    until("a warning", async || serve.log().to_lowercase().contains("stale").then_some(())).await;
}

async fn stale_is_refused_with_a_window(mut stage: Stage) {
    stage.settings = "replay_window = \"5m\"\n".into();
    let serve = stage.serve().await;
    let at = |offset| signer::push_at(&stage.keys, Mode::Secure, &subscribe(OPENID), now() + offset);
    refuse(&stage, &serve, "a day old", &at(-86_400), &["stale"], 403).await;
    refuse(&stage, &serve, "an hour ahead", &at(3_600), &["stale"], 403).await;
}
