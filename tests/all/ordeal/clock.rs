//! Clocks that are wrong, and that somebody sets right: no event is refused, and the order is that of the events.

use super::load::{Came, Load, Pace};
use super::ordeals;
use crate::messages::event_at;
use crate::signer;
use crate::stage::Stage;
use std::time::Duration;

ordeals! {
    a_wrong_clock_refuses_nothing,
}

/// The clock stands right, then 10 minutes early, 10 minutes late, and right again, under load. An event that is
/// dated more than 10 minutes ahead of the clock is ordered by its receipt; all others by their own time.
async fn a_wrong_clock_refuses_nothing(mut stage: Stage) {
    let clock = stage.write("clock", "0");
    stage.env.push(("WXOPS_CLOCK_FILE".into(), clock.to_str().unwrap().into()));
    let serve = stage.serve().await;
    let load = Load::start(&stage, serve.address(), Pace { connections: 8, ..Pace::default() });
    let now = signer::now();
    for (offset, openid) in [(0, "right"), (-600, "early"), (600, "late"), (0, "again")] {
        stage.write("clock", &offset.to_string());
        let person = |what: &str| format!("oTEST{openid}{what:_>16}");
        // The platform's own time, and of two events of one person the later is true whichever comes first.
        assert_eq!(serve.push(&event_at("subscribe", &person("in-order"), now, "")).await.status, 200);
        assert_eq!(serve.push(&event_at("unsubscribe", &person("in-order"), now + 1, "")).await.status, 200);
        assert_eq!(serve.push(&event_at("unsubscribe", &person("crossed"), now + 1, "")).await.status, 200);
        assert_eq!(serve.push(&event_at("subscribe", &person("crossed"), now, "")).await.status, 200);
        // Dated far ahead: what comes next, with a sane date, has happened later.
        let ahead = now + i64::from(offset) + 1200;
        assert_eq!(serve.push(&event_at("subscribe", &person("ahead"), ahead, "")).await.status, 200);
        let by_receipt = format!(
            "SELECT COUNT(*) FROM inbox_event WHERE openid = '{}' AND event_time = received_at",
            person("ahead")
        );
        assert_eq!(stage.number(&by_receipt).await, 1, "{openid}: an event dated 20 minutes ahead");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut verdict = load.judge("clock 10 minutes wrong, and stepped", &stage).await;
    stage.settled().await;
    let left = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0 AND (openid LIKE '%in-order' OR openid LIKE '%crossed')";
    let left = stage.number(left).await;
    verdict.bar(left == 8, format!("{left} of 8 who left are known as gone"));
    let refused = verdict.count(|sample| sample.came != Came::Answer(200));
    verdict.bar(refused == 0, format!("{refused} requests refused"));
    verdict.close(&serve);
}
