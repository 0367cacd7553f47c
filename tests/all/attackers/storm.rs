//! One event, ten thousand times.

use crate::faults::fault_stories;
use crate::http::{self, Connection};
use crate::messages::{OPENID, subscribe};
use crate::platform::Platform;
use crate::signer;
use crate::stage::{Stage, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

const COPIES: usize = 10_000;
const CONNECTIONS: usize = 64;

fault_stories! {
    ten_thousand_copies_are_one_event,
}

/// Half of them are the very same request, half are signed anew, as a retry may be: one row, one follower, one call to
/// the platform, and 10,000 answers of 200.
async fn ten_thousand_copies_are_one_event(stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    let message = subscribe(OPENID);
    let signed = || {
        let push = signer::push(&stage.keys, stage.mode, &message);
        http::request("POST", &push.target("/wechat/event"), &[], &push.body)
    };
    let requests: Arc<Vec<Vec<u8>>> = Arc::new([signed()].into_iter().chain((1..100).map(|_| signed())).collect());
    let begun = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (requests, begun, address) = (requests.clone(), begun.clone(), serve.address());
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await.unwrap();
            loop {
                let number = begun.fetch_add(1, Ordering::Relaxed);
                if number >= COPIES {
                    return;
                }
                let request = &requests[if number % 2 == 0 { 0 } else { number % requests.len() }];
                connection.write(request).await.unwrap();
                let answer = connection.answer().await.unwrap();
                assert_eq!((answer.status, answer.body.len()), (200, 0));
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(stage.stored().await, 1);
    stage.settled().await;
    until("the profile", async || {
        (stage.number("SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL").await == 0).then_some(())
    })
    .await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, 1);
    assert_eq!(platform.calls("/cgi-bin/user/info").await.len(), 1, "one side effect");
    let handled = crate::durability::handled(&serve.log());
    assert_eq!(handled.len(), 1, "handled once");
    let duplicates = serve.metric("wxops_callback_duplicates_total", &[]).await;
    assert_eq!(duplicates as usize, COPIES - 1);
}
