//! `events repair`: what an outage missed comes back from WeChat's lists, and what does not is named.

use crate::faults::fault_stories;
use crate::messages::subscribe;
use crate::platform::{Platform, USER_INFO};
use crate::process::Outcome;
use crate::purge::old_rows;
use crate::stage::{Stage, until};
use serde_json::{Value, json};

fault_stories! {
    what_an_outage_missed_is_rebuilt,
    a_serve_beside_it_does_no_harm,
    it_asks_before_it_erases,
    a_list_that_cannot_be_read_changes_nothing,
    a_person_who_cannot_be_asked_is_told,
    a_list_of_pages_is_read_to_its_end,
}

const USER_GET: &str = "/cgi-bin/user/get";
const STAYED: &str = "oTEST0000000000000000000001_";
const LEFT: &str = "oTEST0000000000000000000002_";
const CAME: &str = "oTEST0000000000000000000003_";
const RETURNED: &str = "oTEST0000000000000000000004_";

async fn repair(stage: &Stage, args: &[&str]) -> Outcome {
    stage.verb(&[&["--json", "events", "repair", "--since", "2h"], args].concat()).await
}

fn told(outcome: &Outcome) -> Value {
    let mut values = outcome.json();
    assert_eq!(values.len(), 1, "{outcome:?}");
    values.remove(0)
}

/// Four people, of whom `serve` knows what was before its outage.
async fn outage(stage: &Stage, platform: &Platform) {
    let mut serve = stage.serve().await;
    for openid in [STAYED, LEFT, RETURNED] {
        platform.happens("subscribe", openid).await;
        assert_eq!(serve.push(&subscribe(openid)).await.status, 200);
    }
    let gone = crate::messages::event_at("unsubscribe", RETURNED, crate::signer::now() + 1, "<EventKey></EventKey>\n");
    platform.happens("unsubscribe", RETURNED).await;
    assert_eq!(serve.push(&gone).await.status, 200);
    let settled = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NULL AND info_error IS NULL";
    until("everyone to be settled", async || (stage.number(settled).await == 3).then_some(())).await;
    stage.settled().await;
    assert_eq!(serve.stop().await.0, Some(0));

    for (event, openid) in [("subscribe", CAME), ("unsubscribe", LEFT), ("subscribe", RETURNED)] {
        platform.happens(event, openid).await;
    }
}

async fn follows(stage: &Stage, openid: &str) -> Option<String> {
    let sql = format!("SELECT CAST(is_followed AS CHAR) FROM user_mapping WHERE openid = '{openid}'");
    stage.rows(&sql).await.first().and_then(|row| row[0].clone())
}

async fn what_an_outage_missed_is_rebuilt(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--followers", "0"]).await;
    // A week and more of history: what usually comes at this hour.
    old_rows(&stage, 1, 8, "done").await;
    old_rows(&stage, 40, 7, "done").await;
    outage(&stage, &platform).await;
    let asked = platform.calls(USER_INFO).await.len();

    let plan = told(&repair(&stage, &["--dry-run"]).await.expect_code(0));
    let found = json!([plan["listed"], plan["known"], plan["unknown"], plan["unlisted"], plan["added"], plan["left"]]);
    assert_eq!((found, &plan["dry_run"]), (json!([3, 2, 2, 1, 0, 0]), &json!(true)), "{plan}");
    assert_eq!(follows(&stage, CAME).await, None, "a dry run changes nothing");
    assert_eq!(platform.calls(USER_INFO).await.len(), asked, "and asks about nobody");

    let done = told(&repair(&stage, &["--yes"]).await.expect_code(0));
    let found = json!([done["added"], done["left"], done["stayed"], done["open"], done["complete"]]);
    assert_eq!(found, json!([2, 1, 0, 0, true]), "{done}");
    let text = done["lost"].as_array().unwrap().iter().find(|row| row["kind"] == "message.text");
    assert_eq!(text, Some(&json!({ "kind": "message.text", "came": 0, "usual": 40 })), "{done}");
    assert!(!done["lost"].to_string().contains("subscribe"), "the list gives those back: {done}");
    for (openid, expected) in [(STAYED, "1"), (LEFT, "0"), (CAME, "1"), (RETURNED, "1")] {
        assert_eq!(follows(&stage, openid).await.as_deref(), Some(expected), "{openid}");
    }
    for openid in [CAME, RETURNED] {
        let sql = format!(
            "SELECT nickname FROM user_mapping WHERE openid = '{openid}' AND follow_time IS NOT NULL AND erased_at IS NULL \
             AND (unfollow_time IS NULL OR follow_time >= unfollow_time)"
        );
        assert!(stage.rows(&sql).await[0][0].as_ref().is_some_and(|name| !name.is_empty()), "{openid}");
    }
    let erased = format!("SELECT nickname FROM user_mapping WHERE openid = '{LEFT}'");
    assert_eq!(stage.rows(&erased).await[0][0], None);

    let asked = platform.calls(USER_INFO).await.len();
    let again = told(&repair(&stage, &["--yes"]).await.expect_code(0));
    assert_eq!(json!([again["unknown"], again["unlisted"], again["left"]]), json!([0, 0, 0]), "{again}");
    assert_eq!(platform.calls(USER_INFO).await.len(), asked, "nothing differs, nobody is asked about");
    let shown = stage.verb(&["events", "repair", "--since", "-2h", "--yes"]).await.expect_code(0).stdout;
    assert!(shown.contains("can't be had back: messages") && shown.contains("message.text"), "{shown}");
    let quiet = stage.verb(&["-q", "events", "repair", "--since", "-2h", "--yes"]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

async fn a_serve_beside_it_does_no_harm(mut stage: Stage) {
    stage.settings = "unsubscribe_policy = \"keep\"\n".into();
    let platform = Platform::restart(&mut stage, &["--latency", "30ms", "--followers", "60"]).await;
    outage(&stage, &platform).await;
    let serve = stage.serve().await;
    // Nothing is erased: nothing has to be confirmed.
    let done = told(&repair(&stage, &[]).await.expect_code(0));
    assert_eq!(json!([done["added"], done["left"], done["open"]]), json!([62, 1, 0]), "{done}");
    assert_eq!(follows(&stage, LEFT).await.as_deref(), Some("0"));
    let log = serve.log();
    assert!(!log.contains("ERROR") && !log.contains(CAME), "{log}");
}

async fn it_asks_before_it_erases(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &[]).await;
    let refused = stage.verb(&["events", "repair", "--since", "2h"]).await.expect_code(2);
    assert!(refused.stderr.contains("erased for good") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let missing = stage.verb(&["events", "repair", "--yes"]).await.expect_code(2);
    assert!(missing.stderr.contains("--since"), "{}", missing.stderr);
    assert!(platform.calls(USER_GET).await.is_empty());

    let hold = "INSERT INTO lease (name, holder, who, until) VALUES ('job:events repair', 7, 'other-host:42', 9e12)";
    stage.execute(hold).await;
    let busy = repair(&stage, &["--yes"]).await.expect_code(75);
    assert!(busy.stderr.contains("other-host:42"), "{}", busy.stderr);
    repair(&stage, &["--yes", "--skip-if-running"]).await.expect_code(0);
    assert!(platform.calls(USER_GET).await.is_empty());
}

async fn a_list_that_cannot_be_read_changes_nothing(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "5"]).await;
    outage(&stage, &platform).await;
    for (fault, code) in [("quota=1", 69), ("http-500=1", 69), ("html=1", 69)] {
        platform.faults(&[fault]).await;
        let failed = repair(&stage, &["--yes"]).await.expect_code(code);
        assert!(failed.stdout.is_empty() && failed.stderr.contains("user/get"), "{fault}: {failed:?}");
    }
    platform.faults(&[]).await;
    assert_eq!(follows(&stage, LEFT).await.as_deref(), Some("1"), "nobody is taken for gone who was not asked about");
    assert_eq!(follows(&stage, CAME).await, None);

    let secret = std::mem::replace(&mut stage.keys.secret, "f".repeat(32));
    stage.execute("DELETE FROM access_token").await;
    repair(&stage, &["--yes"]).await.expect_code(77);
    stage.keys.secret = secret;
    let done = told(&repair(&stage, &["--yes"]).await.expect_code(0));
    assert_eq!(json!([done["added"], done["left"]]), json!([7, 1]), "{done}");
}

async fn a_person_who_cannot_be_asked_is_told(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "3"]).await;
    // Somebody who stands in the table and whom the account has never met.
    let columns = "account, openid, is_followed, created_at, updated_at";
    let then = crate::purge::ago(stage.db, "1 DAY");
    let stranger = "oSTRANGER000000000000000001_";
    stage
        .execute(&format!("INSERT INTO user_mapping ({columns}) VALUES ('main', '{stranger}', 1, {then}, {then})"))
        .await;
    let done = repair(&stage, &["--yes"]).await.expect_code(3);
    let report = told(&done);
    assert_eq!(json!([report["added"], report["left"], report["open"]]), json!([3, 0, 1]), "{report}");
    assert!(done.stderr.contains("followers show") && !done.stderr.contains(stranger), "{}", done.stderr);
    assert_eq!(follows(&stage, stranger).await.as_deref(), Some("1"));
    let shown = stage.verb(&["followers", "show", stranger]).await.expect_code(0).stdout;
    assert!(shown.contains("40003"), "{shown}");
    assert_eq!(platform.calls(USER_INFO).await.len(), 4);
}

async fn a_list_of_pages_is_read_to_its_end(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "20000"]).await;
    let plan = told(&repair(&stage, &["--dry-run"]).await.expect_code(0));
    assert_eq!(json!([plan["total"], plan["listed"], plan["unknown"]]), json!([20_000, 20_000, 20_000]), "{plan}");
    assert_eq!(platform.calls(USER_GET).await.len(), 3, "two full pages, and the one that is empty");
}
