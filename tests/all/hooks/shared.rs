//! Two processes on one database share what is to be told.

use super::receiver::{Does, Receiver, reach, say};
use crate::messages::OPENID;
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::{LIMIT, tell};
use std::collections::BTreeSet;
use std::time::Duration;

const EVENTS: u64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_tell_each_event_once() {
    let story = "hooks::shared::two_processes_tell_each_event_once";
    tell(Stage::new(Db::MariaDb, story), LIMIT, async |mut stage| {
        let receiver = Receiver::start(Does::Waits(Duration::from_millis(60))).await;
        stage.account_settings = receiver.hook("crm", "events = [\"*\"]");
        let both = [stage.serve().await, stage.serve().await];
        for id in 0..EVENTS {
            say(&both[(id % 2) as usize], OPENID, "x", id + 1).await;
        }
        reach(&stage, "delivered", EVENTS as i64).await;
        let told = receiver.told();
        let ids: BTreeSet<_> = told.iter().map(|told| told.header("webhook-id").to_owned()).collect();
        assert_eq!((told.len() as u64, ids.len() as u64), (EVENTS, EVENTS), "each once");
        for serve in &both {
            assert!(serve.metric("wxops_hook_deliveries_total", &[("result", "delivered")]).await > 0.0, "shared");
        }
    })
    .await;
}
