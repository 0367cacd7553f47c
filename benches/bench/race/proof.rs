//! A contestant keeps the promise that it is raced for, or it does not run.

use super::contestant::Running;
use crate::http::{self, Answer};
use crate::load::events::Events;
use crate::rows::Db;
use crate::signer::{self, Keys, Mode, Push};
use std::time::{Duration, Instant};

/// How long the database holds up a commit, which the answer must not come before.
const HELD_UP: Duration = Duration::from_millis(600);

/// Behind every load's events: a message is told by its MsgId alone. Its person is one who leaves.
const FIRST: u64 = 10_000_000;

/// What it does wrong, the first of it.
pub async fn faults(running: &Running) -> Result<(), String> {
    let keys = Keys::default();
    let events = Events::new(&keys.original_id, signer::now() - 86_400, Vec::new());
    let push = |number| signer::push(&keys, Mode::Secure, &events.at(FIRST + number).xml);

    let answer = get(running, &signer::handshake(&keys, "7361250987")).await?;
    expect("GET is answered with echostr", answer.status == 200 && answer.body == b"7361250987")?;
    let answer = get(running, &signer::handshake(&keys, "7361250987").set("nonce", "1")).await?;
    expect("GET with a wrong signature is refused", answer.status >= 400 && answer.body != b"7361250987")?;

    let stranger = Keys { app_id: "wx9999999999999999".into(), ..keys.clone() };
    let refused = [
        ("a wrong signature", push(0).set("signature", &"0".repeat(40))),
        ("a wrong msg_signature", push(0).set("msg_signature", &"0".repeat(40))),
        ("another appid", signer::push(&stranger, Mode::Secure, &events.at(FIRST).xml)),
    ];
    for (what, push) in refused {
        let status = post(running, &push).await?.status;
        expect(&format!("{what} is refused (it was answered with {status})"), status >= 400)?;
    }
    counts(running, 0, 0, 0).await?;

    // The platform's retry carries a nonce of its own.
    for _ in 0..2 {
        acknowledged(running, &push(0)).await?;
    }
    counts(running, 1, 1, 0).await?;
    for number in 1..10 {
        acknowledged(running, &push(number)).await?;
    }
    counts(running, 10, 1, 1).await?;
    answers_after_commit(running, &push(10)).await?;
    counts(running, 11, 2, 1).await
}

async fn answers_after_commit(running: &Running, push: &Push) -> Result<(), String> {
    let start = Instant::now();
    let held = async {
        match running.db() {
            Db::Sqlite => {
                running.rows.execute("BEGIN IMMEDIATE").await;
                tokio::time::sleep(HELD_UP).await;
                running.rows.execute("COMMIT").await;
            }
            Db::MariaDb => {
                let statements = "LOCK TABLES inbox_event READ, user_mapping READ; DO SLEEP(0.6); UNLOCK TABLES";
                running.rows.execute(statements).await;
            }
        }
    };
    let pushed = async {
        tokio::time::sleep(HELD_UP / 6).await;
        acknowledged(running, push).await.map(|()| start.elapsed())
    };
    let ((), waited) = tokio::join!(held, pushed);
    expect("it answers after the commit", waited? >= HELD_UP)
}

async fn acknowledged(running: &Running, push: &Push) -> Result<(), String> {
    let answer = post(running, push).await?;
    let length = answer.header("content-length");
    let what = format!("a push is answered with an empty 200 (it was {}, length {length:?})", answer.status);
    expect(&what, answer.status == 200 && length == Some("0") && answer.body.is_empty())
}

/// Events, people who follow, people who left.
async fn counts(running: &Running, events: u64, following: u64, left: u64) -> Result<(), String> {
    // Event 9 of the first person takes the follow back.
    let following = following - left;
    let expected = [
        ("SELECT COUNT(*) FROM inbox_event", events),
        ("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1", following),
        ("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0", left),
    ];
    for (query, expected) in expected {
        let found = running.number(query).await;
        expect(&format!("{query} is {expected} (it is {found})"), found == expected)?;
    }
    Ok(())
}

fn expect(what: &str, is_so: bool) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(format!("not so: {what}")) }
}

async fn get(running: &Running, push: &Push) -> Result<Answer, String> {
    let answer = http::get(running.child.address(), &push.target("/wechat/event")).await;
    answer.map_err(|error| error.to_string())
}

async fn post(running: &Running, push: &Push) -> Result<Answer, String> {
    let bytes = http::request("POST", &push.target("/wechat/event"), &[("Content-Type", "text/xml")], &push.body);
    http::once(running.child.address(), &bytes).await.map_err(|error| error.to_string())
}
