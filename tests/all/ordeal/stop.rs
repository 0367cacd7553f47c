//! SIGTERM under load, where most requests have a connection of their own: some are in the queue of the port, some half
//! read, when it comes.

use super::load::{Came, Load, Pace};
use super::ordeals;
use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::signer;
use crate::stage::Stage;
use std::time::Duration;

ordeals! {
    a_stop_resets_nobody,
}

/// Exit 0 within 5 s; whoever had sent a whole request has an answer, and so has one whose second half comes later.
async fn a_stop_resets_nobody(stage: Stage) {
    let pace = Pace { connections: 48, every: Duration::ZERO, fresh: 40 };
    let mut serve = stage.serve().await;
    let load = Load::start(&stage, serve.address(), pace);
    tokio::time::sleep(Duration::from_millis(700)).await;

    let push = signer::push(&stage.keys, stage.mode, &text(OPENID, "in two halves", 1));
    let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
    let mut halves = Connection::open(serve.address()).await.unwrap();
    halves.write(&request[..request.len() / 2]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let second_half = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        halves.write(&request[request.len() / 2..]).await.unwrap();
        halves.answer().await
    };
    let ((code, took), answer) = tokio::join!(serve.stop(), second_half);
    let mut verdict = load.judge("SIGTERM under load", &stage).await;
    let broken = verdict.count(|sample| sample.came == Came::Broken);
    verdict.bar(broken == 0, format!("{broken} whole requests without an answer"));
    verdict.bar(code == Some(0), format!("exit {code:?}"));
    verdict.bar(took < Duration::from_secs(5), format!("it took {took:?}"));
    verdict.bar(answer.is_ok_and(|answer| answer.status == 200), "the one in two halves was cut");
    verdict.close(&serve);
}
