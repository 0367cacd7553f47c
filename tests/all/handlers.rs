//! What subscribe, SCAN and unsubscribe make of a person, in whatever order they come, and what becomes of an event
//! that no handler can take.

use crate::messages::{OPENID, event_at, subscribe, text};
use crate::platform::{ClockFile, Platform};
use crate::rows::Db;
use crate::signer;
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

stories! {
    scenes,
    who_leaves_is_erased_whole,
    an_erasure_is_whole_or_not_at_all,
    a_tie_is_decided_by_the_platform,
    a_scan_proves_a_lost_subscribe,
    any_order_gives_the_same_rows,
    a_failing_event_is_parked_and_replayed,
}

const NO_KEY: &str = "<EventKey><![CDATA[]]></EventKey>\n";

async fn scenes(stage: Stage) {
    let serve = stage.serve().await;
    let start = signer::now();
    for (number, (event, key, scene)) in [
        ("subscribe", "qrscene_123", Some("123")),
        ("subscribe", "qrscene_qrscene_x", Some("qrscene_x")),
        ("SCAN", "qrscene_y", Some("qrscene_y")),
        ("scan", "你好 &amp; ]", Some("你好 &amp; ]")),
        ("subscribe", "", Some("你好 &amp; ]")),
        ("SCAN", "42", Some("42")),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("<EventKey><![CDATA[{key}]]></EventKey>\n<Ticket><![CDATA[t]]></Ticket>\n");
        assert_eq!(serve.push(&event_at(event, OPENID, start + number as i64, &key)).await.status, 200);
        stage.settled().await;
        let row = stage.rows("SELECT qr_scene FROM user_mapping").await;
        assert_eq!(row[0][0].as_deref(), scene, "{event} {number}");
    }
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1").await, 1);
}

async fn who_leaves_is_erased_whole(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021"]).await;
    platform.happens("subscribe", OPENID).await;
    let serve = stage.serve().await;
    let start = signer::now() - 100;
    let follows = event_at("subscribe", OPENID, start, "<EventKey><![CDATA[qrscene_7]]></EventKey>");
    serve.push(&follows).await;
    serve.push(&text("oOTHER00000000000000000000_aB", "another's", 7)).await;
    let filled = "SELECT COUNT(*) FROM user_mapping WHERE nickname IS NOT NULL AND qr_scene = '7'";
    until("the profile", async || (stage.number(filled).await == 1).then_some(())).await;
    stage.execute(&format!("INSERT INTO user_tag (account, openid, tag_id) VALUES ('main', '{OPENID}', 2)")).await;
    stage
        .execute("INSERT INTO user_tag (account, openid, tag_id) VALUES ('main', 'oOTHER00000000000000000000_aB', 2)")
        .await;

    let leaves = event_at("unsubscribe", OPENID, start + 50, NO_KEY);
    serve.push(&leaves).await;
    stage.settled().await;
    let person = stage.verb(&["--json", "followers", "show", OPENID]).await.expect_code(0).json();
    let known = [
        "id",
        "account",
        "openid",
        "is_followed",
        "follow_time",
        "unfollow_time",
        "created_at",
        "updated_at",
        "erased_at",
        "info_attempts",
        "erasure",
    ];
    for (name, value) in person[0].as_object().unwrap() {
        assert_eq!(value.is_null(), !known.contains(&name.as_str()), "{name}: {value}");
    }
    assert_eq!(person[0]["is_followed"], false);
    let others = "SELECT COUNT(*) FROM user_tag WHERE openid <> 'oOTHER00000000000000000000_aB'";
    assert_eq!((stage.number(others).await, stage.number("SELECT COUNT(*) FROM user_tag").await), (0, 1));
    let raw = format!("SELECT COUNT(*) FROM inbox_event WHERE raw IS NOT NULL AND openid = '{OPENID}'");
    assert_eq!(stage.number(&raw).await, 0);

    // Retries of both come late: one row each, and nothing of the person comes back.
    let stored = stage.stored().await;
    assert_eq!((serve.push(&follows).await.status, serve.push(&leaves).await.status), (200, 200));
    assert_eq!(stage.stored().await, stored);
    // A message that was on its way when they left is stored and blanked.
    let scan = event_at("SCAN", OPENID, start + 20, "<EventKey><![CDATA[private]]></EventKey>");
    assert_eq!(serve.push(&scan).await.status, 200);
    stage.settled().await;
    assert_eq!((stage.stored().await, stage.number(&raw).await), (stored + 1, 0));
    assert_eq!(
        stage.number("SELECT COUNT(*) FROM user_mapping WHERE qr_scene IS NOT NULL OR is_followed = 1").await,
        0
    );

    // What is erased can't be replayed, and is shown as erased.
    let events = stage.verb(&["--json", "events", "list", "--openid", OPENID]).await.expect_code(0).json();
    for event in &events {
        let id = event["id"].as_str().unwrap();
        let refused = stage.verb(&["--json", "events", "replay", id]).await.expect_code(1);
        assert_eq!(refused.json()[0]["refused"][0], id);
        assert!(refused.stderr.contains("erased"), "{}", refused.stderr);
        stage.verb(&["events", "replay", "-n", id]).await.expect_code(1);
        let shown = stage.verb(&["events", "show", id]).await.expect_code(0);
        assert!(shown.stdout.contains("erased"), "{}", shown.stdout);
    }
}

/// Where one part of the erasure fails, none of it is done; the next try does all.
async fn an_erasure_is_whole_or_not_at_all(mut stage: Stage) {
    let mut clock = ClockFile::of(&mut stage);
    let serve = stage.serve().await;
    serve.push(&event_at("subscribe", OPENID, signer::now() - 50, "<EventKey><![CDATA[qrscene_7]]></EventKey>")).await;
    stage.settled().await;
    stage.execute(&format!("INSERT INTO user_tag (account, openid, tag_id) VALUES ('main', '{OPENID}', 2)")).await;
    stage.execute(&raising(stage.db, "DELETE ON user_tag", "OLD")).await;
    serve.push(&event_at("unsubscribe", OPENID, signer::now(), NO_KEY)).await;
    let failed = "SELECT COUNT(*) FROM inbox_event WHERE attempts = 1 AND kind = 'event.unsubscribe'";
    until("the failed try", async || (stage.number(failed).await == 1).then_some(())).await;
    let whole = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1 AND qr_scene = '7' AND unfollow_time IS NULL";
    assert_eq!(stage.number(whole).await, 1);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE raw IS NULL").await, 0);

    stage.execute("DROP TRIGGER provoked").await;
    clock.advance(10);
    stage.settled().await;
    let gone = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0 AND qr_scene IS NULL AND erased_at IS NOT NULL";
    assert_eq!(stage.number(gone).await, 1);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_tag").await, 0);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE raw IS NOT NULL").await, 0);
}

/// Followed and left, or left and followed, in one second: the events can't tell, user/info does.
async fn a_tie_is_decided_by_the_platform(stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    let second = signer::now();
    for (number, (first, then, follows)) in [
        ("subscribe", "unsubscribe", true),
        ("unsubscribe", "subscribe", true),
        ("subscribe", "unsubscribe", false),
        ("unsubscribe", "subscribe", false),
    ]
    .into_iter()
    .enumerate()
    {
        let openid = format!("oTIE{number:024}");
        platform.happens("subscribe", &openid).await;
        if !follows {
            platform.happens("unsubscribe", &openid).await;
        }
        serve.push(&event_at(first, &openid, second, NO_KEY)).await;
        stage.settled().await;
        serve.push(&event_at(then, &openid, second, NO_KEY)).await;
        quiet(&stage).await;
        let sql = format!("SELECT is_followed, erased_at IS NULL FROM user_mapping WHERE openid = '{openid}'");
        let expected = if follows { "1" } else { "0" };
        assert_eq!(
            stage.rows(&sql).await[0],
            [Some(expected.into()), Some(expected.into())],
            "{first}, {then}, {follows}"
        );
    }
}

/// Left, came back while we were down, scans: the scan says that they follow, user/info since when.
async fn a_scan_proves_a_lost_subscribe(stage: Stage) {
    let platform = Platform::of(&stage);
    let scan = "<EventKey><![CDATA[7]]></EventKey>";
    let people = ["oLOST000000000000000000000001", "oLOST000000000000000000000002"];
    let serve = stage.serve().await;
    for (openid, in_order) in people.into_iter().zip([true, false]) {
        platform.happens("subscribe", openid).await;
        let since = platform.person(openid).await["subscribe_time"].as_i64().unwrap();
        let mut events = vec![
            event_at("subscribe", openid, since - 100, NO_KEY),
            event_at("unsubscribe", openid, since - 50, NO_KEY),
            event_at("SCAN", openid, since + 1, scan),
        ];
        if !in_order {
            events.reverse();
        }
        for event in events {
            serve.push(&event).await;
            quiet(&stage).await;
        }
        let sql = format!(
            "SELECT COUNT(*) FROM user_mapping WHERE openid = '{openid}' AND is_followed = 1 \
             AND follow_time > unfollow_time AND qr_scene = '7' AND erased_at IS NULL AND unionid IS NOT NULL"
        );
        assert_eq!(stage.number(&sql).await, 1, "in order: {in_order}");
    }
}

/// Something that happens to a person, and how many seconds after the one before.
#[derive(Clone, Debug)]
struct Step {
    event: &'static str,
    key: &'static str,
    gap: i64,
}

/// What happened to a person, and the order in which it is told (indices, some of them twice).
#[derive(Clone, Debug)]
struct History {
    steps: Vec<Step>,
    told: Vec<usize>,
    /// What the platform says where the last subscribe and unsubscribe carry one second.
    tie_follows: bool,
}

fn histories() -> impl Strategy<Value = Vec<History>> {
    let step = (
        prop_oneof![
            2 => Just(("subscribe", "")),
            2 => Just(("subscribe", "qrscene_one")),
            2 => Just(("SCAN", "one")),
            2 => Just(("SCAN", "two")),
            4 => Just(("unsubscribe", "")),
        ],
        0..3_i64,
    )
        .prop_map(|((event, key), gap)| Step { event, key, gap });
    let history = prop::collection::vec(step, 1..7).prop_flat_map(|steps| {
        let order: Vec<usize> = (0..steps.len()).collect();
        let again = prop::collection::vec(0..steps.len(), 0..3);
        (Just(steps), Just(order).prop_shuffle(), again, any::<bool>()).prop_map(
            |(steps, mut told, again, tie_follows)| {
                told.extend(again);
                History { steps, told, tie_follows }
            },
        )
    });
    prop::collection::vec(history, 14)
}

impl History {
    /// The seconds of the steps, from the first.
    fn seconds(&self) -> Vec<i64> {
        self.steps
            .iter()
            .scan(0, |at, step| {
                *at += step.gap;
                Some(*at)
            })
            .collect()
    }

    /// Whether the person follows in the end, and the step since which they do.
    fn truth(&self) -> Option<usize> {
        let seconds = self.seconds();
        let last = |event: &str| (0..seconds.len()).rev().find(|at| self.steps[*at].event == event);
        let left = last("unsubscribe").map_or(-1, |at| seconds[at]);
        let first_after =
            |event: &str| (0..seconds.len()).find(|at| self.steps[*at].event == event && seconds[*at] > left);
        let same = last("subscribe").filter(|at| seconds[*at] == left && self.tie_follows);
        match last("subscribe").filter(|at| seconds[*at] > left) {
            Some(at) => Some(at),
            None => first_after("SCAN").or(same),
        }
    }

    /// The events as the platform tells them, where step 0 happened at this second.
    fn events(&self, openid: &str, start: i64) -> Vec<String> {
        let write = |(step, at): (&Step, i64)| {
            event_at(step.event, openid, start + at, &format!("<EventKey><![CDATA[{}]]></EventKey>\n", step.key))
        };
        self.steps.iter().zip(self.seconds()).map(write).collect()
    }
}

/// The same events in order and each settled before the next, and in any order and some twice: the same rows.
async fn any_order_gives_the_same_rows(stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    // Other cases each day, the same ones within it; or those that WXOPS_TEST_SEED names.
    let named = std::env::var("WXOPS_TEST_SEED").ok().and_then(|text| text.parse::<i64>().ok());
    let number = named.unwrap_or(signer::now() / 86_400);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    for case in 0..3 {
        let batch = histories().new_tree(&mut runner).expect("a strategy without filters").current();
        play(&stage, &platform, &serve, (number, case), &batch).await;
    }
}

async fn play(stage: &Stage, platform: &Platform, serve: &Serve, (seed, case): (i64, u32), batch: &[History]) {
    let mut people = Vec::new();
    for (number, history) in batch.iter().enumerate() {
        let openid = format!("oCASE{case}_{number:021}");
        platform.happens("subscribe", &openid).await;
        let since = platform.person(&openid).await["subscribe_time"].as_i64().unwrap();
        let start = match history.truth() {
            Some(at) => since - history.seconds()[at],
            None => {
                platform.happens("unsubscribe", &openid).await;
                since
            }
        };
        people.push((history, history.events(&openid, start)));
    }
    clear(stage).await;
    for round in 0..7 {
        for (_, events) in &people {
            if let Some(event) = events.get(round) {
                assert_eq!(serve.push(event).await.status, 200);
            }
        }
        stage.settled().await;
    }
    quiet(stage).await;
    let ordered = rows(stage).await;

    clear(stage).await;
    for round in 0..9 {
        for (history, events) in &people {
            if let Some(at) = history.told.get(round) {
                assert_eq!(serve.push(&events[*at]).await.status, 200);
            }
        }
        if round % 3 == 1 {
            quiet(stage).await;
        }
    }
    // As after a crash between the handler and its settlement, everything once more.
    stage.settled().await;
    stage.execute("UPDATE inbox_event SET state = 'new', lease = NULL, lease_until = 0 WHERE raw IS NOT NULL").await;
    quiet(stage).await;
    let shuffled = rows(stage).await;
    assert_eq!(ordered.len(), shuffled.len());
    for (one, other) in ordered.iter().zip(&shuffled) {
        let number =
            one[0].as_deref().and_then(|openid| openid.rsplit('_').next()).and_then(|n| n.parse::<usize>().ok());
        assert_eq!(one, other, "case {case} of seed {seed}: {:?}", number.and_then(|number| batch.get(number)));
    }
    for (number, history) in batch.iter().enumerate() {
        let openid = format!("oCASE{case}_{number:021}");
        let row = ordered.iter().find(|row| row[0].as_deref() == Some(&openid)).unwrap();
        assert_eq!(row[1].as_deref() == Some("1"), history.truth().is_some(), "{history:?}: {row:?}");
    }
}

async fn clear(stage: &Stage) {
    stage.execute("DELETE FROM inbox_event").await;
    stage.execute("DELETE FROM user_mapping").await;
}

/// Every column but the id and the moments at which rows were written; and which callbacks are blanked.
async fn rows(stage: &Stage) -> Vec<Vec<Option<String>>> {
    let people = "SELECT openid, is_followed, account, unionid, nickname, avatar_url, sex, city, province, country, \
        language, subscribe_scene, qr_scene, qr_scene_time, remark, follow_time, unfollow_time, erased_at IS NULL, \
        info_due_at, info_attempts, info_lease, info_error, \
        (SELECT COUNT(*) FROM inbox_event e WHERE e.openid = user_mapping.openid), \
        (SELECT COUNT(*) FROM inbox_event e WHERE e.openid = user_mapping.openid AND raw IS NULL) \
        FROM user_mapping ORDER BY openid";
    stage.rows(people).await
}

/// Waits until no event and nobody's data is due.
async fn quiet(stage: &Stage) {
    let due = "SELECT (SELECT COUNT(*) FROM inbox_event WHERE state = 'new') + \
               (SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL)";
    until("all to be quiet", async || (stage.number(due).await == 0).then_some(())).await;
}

async fn a_failing_event_is_parked_and_replayed(mut stage: Stage) {
    let mut clock = ClockFile::of(&mut stage);
    let serve = stage.serve().await;
    stage.execute(&raising(stage.db, "UPDATE ON user_mapping", "NEW")).await;
    let follows = ["oWELL0000000000000000000001_", OPENID, "oWELL0000000000000000000002_"].map(subscribe);
    let pushed = tokio::join!(serve.push(&follows[0]), serve.push(&follows[1]), serve.push(&follows[2]));
    assert_eq!([pushed.0.status, pushed.1.status, pushed.2.status], [200; 3], "a failing handler harms no answer");
    let well = "SELECT COUNT(*) FROM inbox_event WHERE state = 'done'";
    until("the others", async || (stage.number(well).await == 2).then_some(())).await;
    for tries in 1..=8 {
        let sql = format!("SELECT COUNT(*) FROM inbox_event WHERE attempts = {tries} AND lease IS NULL");
        until(&format!("try {tries}"), async || (stage.number(&sql).await == 1).then_some(())).await;
        let state = stage.rows("SELECT state FROM inbox_event WHERE attempts > 0").await;
        assert_eq!(state[0][0].as_deref(), Some(if tries < 8 { "new" } else { "dead" }));
        if tries < 8 {
            clock.advance(3601);
        }
    }
    clock.advance(7200);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(stage.number("SELECT MAX(attempts) FROM inbox_event").await, 8, "the dead are left alone");
    until("the gauge", async || (serve.metric("wxops_inbox_events", &[("state", "dead")]).await == 1.0).then_some(()))
        .await;

    let dead = stage.verb(&["--json", "events", "list", "--state", "dead"]).await.expect_code(0).json();
    assert_eq!((dead.len(), &dead[0]["openid"], &dead[0]["attempts"]), (1, &OPENID.into(), &8.into()));
    assert!(dead[0]["last_error"].as_str().unwrap().contains("provoked"), "{dead:?}");
    let id = dead[0]["id"].as_str().expect("ids are text");
    assert!(serve.log().contains(&format!("wxops events replay {id}")), "the log says what to do");
    let list = stage.verb(&["events", "list", "--state", "dead"]).await.expect_code(0);
    assert!(list.stdout.contains(OPENID) && list.stdout.contains("provoked"), "{}", list.stdout);
    let shown = stage.verb(&["events", "show", id]).await.expect_code(0);
    assert!(shown.stdout.contains("dead, 8 failed tries") && shown.stdout.contains("<xml>"), "{}", shown.stdout);
    let shown = stage.verb(&["--json", "events", "show", id]).await.expect_code(0).json();
    assert!(shown[0]["state"] == "dead" && shown[0]["raw"].as_str().unwrap().starts_with("<xml>"));

    // Replayed too early it fails again, from the beginning of its tries.
    stage.verb(&["events", "replay", id]).await.expect_code(0);
    until("another try", async || {
        (stage.number("SELECT COUNT(*) FROM inbox_event WHERE attempts = 1 AND state = 'new'").await == 1).then_some(())
    })
    .await;
    stage.execute("UPDATE inbox_event SET state = 'dead' WHERE attempts = 1").await;

    stage.execute("DROP TRIGGER provoked").await;
    let plan = stage.verb(&["--json", "events", "replay", "--dead", "--dry-run"]).await.expect_code(0).json();
    assert_eq!((&plan[0]["due"][0], &plan[0]["dry_run"]), (&id.into(), &true.into()));
    let half = stage.verb(&["--json", "events", "replay", id, "999999"]).await.expect_code(3);
    assert_eq!((&half.json()[0]["due"][0], &half.json()[0]["refused"][0]), (&id.into(), &"999999".into()));
    stage.settled().await;
    assert_eq!(stage.number(&format!("SELECT COUNT(*) FROM user_mapping WHERE openid = '{OPENID}'")).await, 1);
    let none = stage.verb(&["--json", "events", "list", "--state", "dead"]).await.expect_code(0);
    assert!(none.stdout.is_empty(), "{none:?}");

    stage.verb(&["events", "replay", "--dead"]).await.expect_code(0);
    stage.verb(&["events", "replay", "999999"]).await.expect_code(1);
    stage.verb(&["events", "show", "999999"]).await.expect_code(1);
    for wrong in [&["events", "replay"][..], &["events", "replay", "x"], &["events", "replay", id, "--dead"]] {
        stage.verb(wrong).await.expect_code(2);
    }
}

/// A trigger that lets this change fail for the person of the stories.
fn raising(db: Db, change: &str, row: &str) -> String {
    match db {
        Db::Sqlite => format!(
            "CREATE TRIGGER provoked BEFORE {change} WHEN {row}.openid = '{OPENID}' \
             BEGIN SELECT RAISE(ABORT, 'provoked'); END"
        ),
        Db::MariaDb => format!(
            "CREATE TRIGGER provoked BEFORE {change} FOR EACH ROW IF {row}.openid = '{OPENID}' THEN \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'provoked'; END IF"
        ),
    }
}
