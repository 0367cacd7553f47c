//! `quota`: what is left of the day, giving it back, and what is written down of it.

use crate::faults::fault_stories;
use crate::messages::subscribe;
use crate::platform::{ClockFile, Platform, USER_INFO, at_once};
use crate::process::Outcome;
use crate::rows::Db;
use crate::shell::pty::Pty;
use crate::stage::{Stage, until};
use serde_json::{Value, json};

fault_stories! {
    each_api_is_told_with_what_is_left,
    a_clear_is_one_of_ten,
    after_ten_the_next_month_is_named,
    by_secret_where_no_token_can_be_had,
    an_unknown_outcome_is_kept_and_not_repeated,
    what_was_paused_goes_on,
    a_forecast_names_what_will_not_suffice,
    a_terminal_wants_the_name,
    two_at_once_are_one,
}

const USER_GET: &str = "/cgi-bin/user/get";
const CLEAR: &str = "/cgi-bin/clear_quota";
const CLEAR_BY_SECRET: &str = "/cgi-bin/clear_quota/v2";
const DAY: i64 = 86_400;

/// The one object that a verb prints.
fn told(outcome: &Outcome) -> Value {
    let mut values = outcome.json();
    assert_eq!(values.len(), 1, "{outcome:?}");
    values.remove(0)
}

async fn clear(stage: &Stage, args: &[&str]) -> Outcome {
    stage.verb(&[&["--json", "quota", "clear"], args].concat()).await
}

async fn shown(stage: &Stage) -> Value {
    told(&stage.verb(&["--json", "quota", "show", "--api", USER_GET]).await.expect_code(0))
}

/// The outcomes in the ledger, oldest first.
async fn ledger(stage: &Stage) -> Vec<String> {
    let rows = stage.rows("SELECT outcome FROM quota_ledger WHERE kind = 'clear' ORDER BY id").await;
    rows.into_iter().filter_map(|mut row| row.remove(0)).collect()
}

/// Calls user/get, by a verb that reads the list and changes nothing.
async fn read_the_list(stage: &Stage) {
    stage.verb(&["events", "repair", "--since", "1h", "--dry-run"]).await.expect_code(0);
}

async fn each_api_is_told_with_what_is_left(stage: Stage) {
    let platform = Platform::of(&stage);
    read_the_list(&stage).await;
    let asked = platform.calls(USER_GET).await.len() as u64;
    assert!(asked > 0);

    let args = ["--json", "quota", "show", "--api", "user/get", "--api", "/cgi-bin/no/such", "--api", USER_INFO];
    let shown = told(&stage.verb(&args).await.expect_code(0));
    let apis = shown["apis"].as_array().unwrap();
    assert_eq!(apis.len(), 3, "one that can't be asked about ends nothing: {shown}");
    let (list, none) = (&apis[0], &apis[1]);
    assert_eq!(
        (&list["api"], &list["used"], &list["limit"]),
        (&json!(USER_GET), &json!(asked), &json!(500)),
        "{shown}"
    );
    assert_eq!((&list["left"], &list["error"]), (&json!(500 - asked), &Value::Null), "{shown}");
    assert_eq!((&none["error"]["errcode"], &none["left"]), (&json!(76021), &Value::Null), "{shown}");
    assert_eq!(apis[2]["used"], 0);
    assert_eq!(
        shown["clears"],
        json!({ "used": 0, "of": 10, "left": 10, "until": shown["clears"]["until"], "list": [] })
    );

    let page = stage.verb(&["quota", "show"]).await.expect_code(0).stdout;
    for words in ["LEFT", "/cgi-bin/user/info/batchget", "0 of 10 used by this installation", "console"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(stage.verb(&["--json", "quota", "show", "--account", "all"]).await.expect_code(0).json().len(), 1);
    let slip =
        stage.verb(&["quota", "show", "--api", "https://api.weixin.qq.com/cgi-bin/user/get"]).await.expect_code(2);
    assert!(slip.stderr.contains("without host"), "{}", slip.stderr);
}

async fn a_clear_is_one_of_ten(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    read_the_list(&stage).await;

    let unasked = clear(&stage, &[]).await.expect_code(2);
    assert!(unasked.stderr.contains("--yes") && unasked.stderr.contains("number 1 of 10"), "{}", unasked.stderr);
    let plan = told(&clear(&stage, &["--dry-run"]).await.expect_code(0));
    assert_eq!((&plan["method"], &plan["body"]), (&json!("POST"), &json!({ "appid": stage.keys.app_id })), "{plan}");
    assert!(plan["url"].as_str().unwrap().ends_with("/cgi-bin/clear_quota?access_token=***"), "{plan}");
    assert!(platform.calls(CLEAR).await.is_empty() && ledger(&stage).await.is_empty());

    let done = told(&clear(&stage, &["--yes"]).await.expect_code(0));
    assert_eq!(
        (&done["by"], &done["clears"]["used"], &done["clears"]["left"]),
        (&json!("token"), &json!(1), &json!(9))
    );
    assert_eq!(shown(&stage).await["apis"][0]["used"], 0, "it is given back");

    let again = clear(&stage, &["--yes"]).await.expect_code(1);
    assert!(
        again.stderr.contains("cleared today at") && again.stderr.contains("1 of the month's 10"),
        "{}",
        again.stderr
    );
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(platform.calls(CLEAR).await.len(), 1);
    clear(&stage, &["--yes", "--force"]).await.expect_code(0);
    assert_eq!(ledger(&stage).await, ["ok", "ok"]);

    // Tomorrow is another day, if perhaps another month.
    clock.advance(DAY);
    platform.advance(DAY).await;
    clear(&stage, &["--yes"]).await.expect_code(0);
    let list = shown(&stage).await["clears"]["list"].clone();
    assert_eq!(list.as_array().unwrap().last().unwrap()["by"], "token", "{list}");
}

async fn after_ten_the_next_month_is_named(stage: Stage) {
    let platform = Platform::of(&stage);
    // In the console, of which the ledger knows nothing.
    for _ in 0..10 {
        assert_eq!(platform.clears().await, 0);
    }
    let refused = stage.verb(&["--json", "quota", "clear", "--yes"]).await.expect_code(69);
    let error: Value = serde_json::from_str(refused.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["errcode"], 48006, "{error}");
    assert!(error["next"].as_str().unwrap().contains("-01 00:00 +08:00"), "{error}");
    assert_eq!(ledger(&stage).await, ["refused"]);
    assert_eq!(shown(&stage).await["clears"]["used"], 0, "what was refused cost nothing");

    // Where it is known here, few that are left are warned of.
    let columns = "account, at, kind, api, way, outcome, who";
    for _ in 0..7 {
        let now = "(SELECT MAX(at) FROM (SELECT at FROM quota_ledger) AS known)";
        let row = format!(
            "INSERT INTO quota_ledger ({columns}) SELECT 'main', {now}, 'clear', 'clear_quota', 'token', 'ok', 'x'"
        );
        stage.execute(&row).await;
    }
    let warned = clear(&stage, &["--yes", "--force"]).await.expect_code(69);
    assert!(warned.stderr.contains("at most 3 of the month's 10 clears are left"), "{}", warned.stderr);
}

async fn by_secret_where_no_token_can_be_had(stage: Stage) {
    let platform = Platform::of(&stage);
    platform.faults(&["quota@/cgi-bin/stable_token=1"]).await;
    let without = clear(&stage, &["--yes"]).await.expect_code(69);
    assert!(without.stderr.contains("--by-secret"), "{}", without.stderr);
    assert!(platform.calls(CLEAR).await.is_empty() && ledger(&stage).await.is_empty());
    let blind = stage.verb(&["--json", "quota", "show"]).await.expect_code(69);
    assert_eq!(told(&blind)["clears"]["used"], 0, "the ledger is told all the same: {blind:?}");

    let plan = clear(&stage, &["--by-secret", "-n"]).await.expect_code(0);
    assert!(told(&plan)["url"].as_str().unwrap().ends_with(CLEAR_BY_SECRET), "{plan:?}");
    let done = clear(&stage, &["--by-secret", "--yes"]).await.expect_code(0);
    assert_eq!(told(&done)["by"], "secret");
    let calls = platform.calls(CLEAR_BY_SECRET).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(!calls[0]["query"].to_string().contains("secret"), "{calls:?}");
    for said in [&plan, &done] {
        assert!(!format!("{said:?}").contains(&stage.keys.secret));
    }
}

async fn an_unknown_outcome_is_kept_and_not_repeated(stage: Stage) {
    let platform = Platform::of(&stage);
    platform.faults(&["lost-answer@/cgi-bin/clear_quota=1"]).await;
    let lost = clear(&stage, &["--yes"]).await.expect_code(4);
    assert!(lost.stderr.contains("may have taken effect"), "{}", lost.stderr);
    assert_eq!((platform.calls(CLEAR).await.len(), ledger(&stage).await), (1, vec!["unknown".to_owned()]));
    platform.faults(&[]).await;
    let again = clear(&stage, &["--yes"]).await.expect_code(1);
    assert!(
        again.stderr.contains("outcome is not known") && again.stderr.contains("1 of the month's 10"),
        "{}",
        again.stderr
    );
    assert_eq!(platform.calls(CLEAR).await.len(), 1, "it is not repeated");
    let clears = &shown(&stage).await["clears"];
    assert_eq!((&clears["used"], &clears["list"][0]["outcome"]), (&json!(1), &json!("unknown")), "{clears}");

    // Where nobody listens nothing was sent, and nothing counts.
    let nowhere = |text: &str| text.replace(&stage.sandbox().to_string(), "127.0.0.1:9");
    let args = ["quota", "clear", "--yes", "--force", "--by-secret"];
    crate::platform::verb_in(&stage, nowhere, &args, "").await.expect_code(69);
    assert_eq!(ledger(&stage).await, ["unknown", "unsent"]);
    assert_eq!(shown(&stage).await["clears"]["used"], 1);
}

async fn what_was_paused_goes_on(stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    let openid = "oTEST0000000000000000000001_";
    platform.happens("subscribe", openid).await;
    platform.faults(&[&format!("quota@{USER_INFO}=1")]).await;
    assert_eq!(serve.push(&subscribe(openid)).await.status, 200);
    until("the pause", async || {
        (stage.number("SELECT COUNT(*) FROM channel WHERE reason LIKE '%45009%'").await == 1).then_some(())
    })
    .await;
    let refusals = shown(&stage).await["refusals"].clone();
    assert_eq!((&refusals[0]["api"], &refusals[0]["errcode"]), (&json!("user/info"), &json!(45009)), "{refusals}");
    assert_eq!(refusals.as_array().unwrap().len(), 1, "{refusals}");
    assert!(refusals[0]["rid"].is_string(), "{refusals}");

    platform.faults(&[]).await;
    assert_eq!(told(&clear(&stage, &["--yes"]).await.expect_code(0))["resumed"], 1);
    let filled = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NULL AND info_error IS NULL";
    until("the profile, long before the next probe", async || (stage.number(filled).await == 1).then_some(())).await;
}

async fn a_forecast_names_what_will_not_suffice(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--limit", "/cgi-bin/user/get=2/day"]).await;
    let fits = told(&stage.verb(&["--json", "quota", "forecast"]).await.expect_code(0));
    assert_eq!((&fits["people"], &fits["people_from"]), (&json!(0), &json!("user_mapping")), "{fits}");
    let sync = fits["jobs"].as_array().unwrap().iter().find(|job| job["job"] == "followers sync").unwrap();
    assert_eq!(
        sync["calls"][0],
        json!({ "api": USER_GET, "needed": 1, "left": 2, "fits": true, "error": null }),
        "{fits}"
    );

    // The last sync saw more people than the table has.
    let columns = "job, account, origin, started_at, finished_at, outcome, counts, who";
    let time = if stage.db == Db::Sqlite { "2026-11-01T00:00:00.000Z" } else { "2026-11-01 00:00:00.000" };
    let seen = r#"{"seen":20001}"#;
    stage.execute(&format!(
        "INSERT INTO job_run ({columns}) VALUES ('followers sync', 'main', 1, '{time}', '{time}', 'ok', '{seen}', 'x')"
    )).await;
    let short = stage.verb(&["quota", "forecast"]).await.expect_code(1);
    assert!(
        short.stderr.contains("does not suffice for followers sync") && short.stderr.contains("00:00 +08:00"),
        "{short:?}"
    );
    let line = "followers sync: /cgi-bin/user/get 4 calls, would end in 45009 after 2; can go on at ";
    assert!(short.stdout.contains(line) && short.stdout.contains("as the last followers sync saw them"), "{short:?}");
    assert!(platform.calls(USER_GET).await.is_empty(), "a forecast spends nothing of it");
}

async fn a_terminal_wants_the_name(stage: Stage) {
    let platform = Platform::of(&stage);
    let config = stage.config();
    for (typed, code, calls) in [("yes", 2, 0), ("main", 0, 1)] {
        let mut pty = Pty::start(stage.folder(), &["--config", &config, "--lang", "en", "quota", "clear"], &[]);
        pty.until("Type main to go on: ").await;
        pty.keys(&format!("{typed}\n"));
        let ended = pty.end().await;
        assert_eq!(ended.code, Some(code), "{typed}: {ended:?}");
        assert_eq!(platform.calls(CLEAR).await.len(), calls, "{typed}");
    }
}

async fn two_at_once_are_one(stage: Stage) {
    let platform = Platform::of(&stage);
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    let mut codes: Vec<_> = at_once(&stage, 4, &["quota", "clear", "--yes"]).await.iter().map(|it| it.code).collect();
    codes.sort_unstable();
    assert_eq!(codes[0], Some(0), "{codes:?}");
    assert!(codes[1..].iter().all(|code| matches!(code, Some(1 | 75))), "{codes:?}");
    assert_eq!(platform.calls(CLEAR).await.len(), 1);
}
