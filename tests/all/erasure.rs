//! Who leaves, asks or is told to be forgotten is gone from every table and file, and a receipt says so.

use crate::messages::{OPENID, event_at, subscribe, text};
use crate::platform::Platform;
use crate::rows::Db;
use crate::signer;
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::time::Duration;

stories! {
    an_unsubscribe_at_each_step_of_an_enrichment_leaves_no_trace,
    an_unsubscribe_at_each_step_of_a_replay_leaves_no_trace,
    a_follower_is_forgotten_and_starts_clean,
    who_is_unknown_is_named,
    requests_are_done_in_one_transaction_each,
    remains_go_too_and_the_chain_stays,
    receipts_that_were_changed_are_found,
    many_who_leave_get_one_chain,
    privacy_events_act_on_openid,
    the_policy_keep_keeps_only_those_who_leave,
    user_info_says_that_they_are_gone,
    an_operator_in_the_way_is_pending,
}

const NO_KEY: &str = "<EventKey><![CDATA[]]></EventKey>\n";

async fn an_unsubscribe_at_each_step_of_an_enrichment_leaves_no_trace(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--latency", "120ms"]).await;
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    let serve = stage.serve().await;
    let people: Vec<String> = (0..8).map(|step| format!("oSTEP{step:023}")).collect();
    let mut names = Vec::new();
    for openid in &people {
        platform.happens("subscribe", openid).await;
        names.push(avatar(&platform, openid).await);
    }
    let start = signer::now() - 60;
    let leave = async |step: usize| {
        let key = format!("<EventKey><![CDATA[qrscene_trace{step}]]></EventKey>");
        serve.push(&event_at("subscribe", &people[step], start, &key)).await;
        tokio::time::sleep(Duration::from_millis(40 * step as u64)).await;
        serve.push(&event_at("unsubscribe", &people[step], start + 1, NO_KEY)).await;
    };
    tokio::join!(leave(0), leave(1), leave(2), leave(3), leave(4), leave(5), leave(6), leave(7));
    receipts(&stage, 8).await;
    idle(&stage).await;
    let asked = platform.calls(crate::platform::USER_INFO).await.len();
    assert!(asked >= 3, "some left while they were asked about: {asked}");
    names.push("trace".to_owned());
    assert_eq!(holders_of(&stage, &names).await, [""; 0]);
    let shown = stage.verb(&["--json", "followers", "show", &people[7]]).await.expect_code(0).json();
    assert_eq!(
        (&shown[0]["erasure"]["cause"], &shown[0]["erasure"]["pending"]),
        (&"unsubscribe".into(), &Value::Array(vec![]))
    );
    stage.verb(&["followers", "forget", "--verify"]).await.expect_code(0);
}

async fn an_unsubscribe_at_each_step_of_a_replay_leaves_no_trace(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--latency", "150ms"]).await;
    let serve = stage.serve().await;
    let people: Vec<String> = (0..8).map(|step| format!("oAGAIN{step:022}")).collect();
    let start = signer::now() - 60;
    let mut names = Vec::new();
    for openid in &people {
        platform.happens("subscribe", openid).await;
        names.push(avatar(&platform, openid).await);
        serve.push(&event_at("subscribe", openid, start, "<EventKey><![CDATA[qrscene_trace]]></EventKey>")).await;
    }
    filled(&stage, 8).await;
    assert!(!holders(&stage, &names[0]).await.is_empty(), "else what follows proves nothing");
    let ids = stage.rows("SELECT id FROM inbox_event ORDER BY id").await;
    let replay = async {
        for id in &ids {
            stage.verb(&["events", "replay", id[0].as_deref().unwrap()]).await;
        }
    };
    let leave = async {
        for openid in &people {
            tokio::time::sleep(Duration::from_millis(60)).await;
            serve.push(&event_at("unsubscribe", openid, start + 1, NO_KEY)).await;
        }
    };
    tokio::join!(replay, leave);
    receipts(&stage, 8).await;
    idle(&stage).await;
    names.push("trace".to_owned());
    assert_eq!(holders_of(&stage, &names).await, [""; 0]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1 OR erased_at IS NULL").await, 0);
}

async fn a_follower_is_forgotten_and_starts_clean(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021"]).await;
    platform.happens("subscribe", OPENID).await;
    let avatar = avatar(&platform, OPENID).await;
    let serve = stage.serve().await;
    let start = signer::now();
    // The platform's clock is ahead of ours by a little.
    serve.push(&event_at("subscribe", OPENID, start + 5, "<EventKey><![CDATA[qrscene_trace]]></EventKey>")).await;
    serve.push(&text(OPENID, "my secret trace", 7)).await;
    filled(&stage, 1).await;
    stage.execute(&format!("INSERT INTO user_tag (account, openid, tag_id) VALUES ('main', '{OPENID}', 2)")).await;

    let asked = stage.verb(&["followers", "forget", OPENID]).await.expect_code(2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    let planned = stage.verb(&["followers", "forget", OPENID, "-n"]).await.expect_code(0);
    assert!(planned.stdout.contains("1 tags, the text of 2 callbacks"), "{}", planned.stdout);
    assert!(!holders(&stage, &avatar).await.is_empty(), "nothing has happened yet");

    let args = ["--json", "followers", "forget", OPENID, "--yes", "--reason", "letter of 2026-11-20"];
    let done = stage.verb(&args).await.expect_code(0);
    assert_eq!(done.stderr, "");
    let erased = done.json()[0]["erased"][0].clone();
    assert_eq!(
        (erased["cause"].as_str(), erased["note"].as_str(), &erased["seq"]),
        (Some("forget"), Some("letter of 2026-11-20"), &1.into())
    );
    let receipt: Value = serde_json::from_str(erased["receipt"].as_str().unwrap()).unwrap();
    assert!(
        receipt["previous"].is_null() && receipt["person"].as_str().is_some_and(|hash| hash.len() == 64),
        "{receipt}"
    );
    assert!(!receipt.to_string().contains(OPENID), "{receipt}");
    for trace in [avatar.as_str(), "trace"] {
        assert_eq!(holders(&stage, trace).await, [""; 0], "{trace}");
    }
    let kept = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0 AND follow_time IS NOT NULL AND unfollow_time IS NULL \
                AND erased_at IS NOT NULL AND info_due_at IS NULL";
    assert_eq!(stage.number(kept).await, 1);
    let again = stage.verb(&["--json", "followers", "forget", OPENID, "--yes"]).await.expect_code(0).json();
    assert_eq!(again[0]["erased"][0]["seq"], 1, "nothing to do: the same receipt");
    assert_eq!(stage.number("SELECT COUNT(*) FROM erasure").await, 1);

    // What was under way when they were forgotten is stored without its text, and makes nobody a follower.
    serve.push(&event_at("SCAN", OPENID, start + 4, "<EventKey><![CDATA[late trace]]></EventKey>")).await;
    serve.push(&event_at("subscribe", OPENID, start + 3, "<EventKey><![CDATA[qrscene_late trace]]></EventKey>")).await;
    serve.push(&event_at("unsubscribe", OPENID, start + 2, NO_KEY)).await;
    idle(&stage).await;
    receipts(&stage, 2).await;
    assert_eq!(holders(&stage, "trace").await, [""; 0]);
    let shown = stage.verb(&["--json", "followers", "show", OPENID]).await.expect_code(0).json();
    assert_eq!((&shown[0]["is_followed"], &shown[0]["nickname"]), (&false.into(), &Value::Null));

    // Who returns is told anew.
    serve.push(&event_at("subscribe", OPENID, start + 6, NO_KEY)).await;
    filled(&stage, 1).await;
    let shown = stage.verb(&["--json", "followers", "show", OPENID]).await.expect_code(0).json();
    assert_eq!((&shown[0]["is_followed"], &shown[0]["erased_at"]), (&true.into(), &Value::Null));
    assert_eq!((&shown[0]["qr_scene"], shown[0]["avatar_url"].as_str()), (&Value::Null, Some(avatar.as_str())));
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_tag").await, 0);
}

async fn who_is_unknown_is_named(stage: Stage) {
    let nobody = stage.verb(&["followers", "forget", "oNOBODY", "--yes"]).await.expect_code(1);
    assert!(nobody.stderr.contains("oNOBODY") && nobody.stderr.contains("followers list"), "{}", nobody.stderr);
    assert_eq!(stage.number("SELECT COUNT(*) FROM erasure").await, 0);
    // Of somebody who only wrote there is no row of user_mapping.
    let serve = stage.serve().await;
    serve.push(&text(OPENID, "a trace", 7)).await;
    stage.settled().await;
    let words = format!("{OPENID}\n\noNOBODY\n{OPENID}\n");
    let some = stage.verb_with(&["--json", "followers", "forget", "-", "--yes"], &words).await.expect_code(3);
    assert!(some.stderr.contains("oNOBODY") && !some.stderr.contains(OPENID), "{}", some.stderr);
    let done = &some.json()[0];
    assert_eq!((done["erased"].as_array().unwrap().len(), &done["unknown"][0]), (1, &"oNOBODY".into()));
    assert_eq!(holders(&stage, "trace").await, [""; 0]);
}

async fn requests_are_done_in_one_transaction_each(stage: Stage) {
    let serve = stage.serve().await;
    for openid in ["oASKS0000000000000000000001", "oASKS0000000000000000000002"] {
        serve
            .push(&event_at("subscribe", openid, signer::now() - 5, "<EventKey><![CDATA[qrscene_trace]]></EventKey>"))
            .await;
    }
    stage.settled().await;
    // As a company may have it: more columns, other types, a collation that does not tell cases apart.
    stage.execute("DROP TABLE user_delete_request").await;
    let collation = if stage.db == Db::MariaDb { "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci" } else { "" };
    let table = format!(
        "CREATE TABLE user_delete_request (user_id int NOT NULL, phone varchar(12) DEFAULT NULL, \
         openid varchar(255) {collation} NOT NULL, status smallint NOT NULL DEFAULT 0, type smallint NOT NULL DEFAULT 1, \
         remark varchar(20))"
    );
    stage.execute(&table).await;
    stage
        .execute(
            "INSERT INTO user_delete_request (user_id, phone, openid, status, type) VALUES \
             (1, '13800001234', 'oASKS0000000000000000000001', 0, 2), (2, NULL, 'oASKS0000000000000000000002', 1, 1), \
             (3, '13900005678', 'oNOBODY', 0, 2), (4, NULL, 'oasks0000000000000000000001', 0, 1)",
        )
        .await;
    let listed = stage.verb(&["followers", "requests"]).await.expect_code(0);
    assert!(listed.stdout.contains("*******1234") && !listed.stdout.contains("13800001234"), "{}", listed.stdout);
    assert_eq!(stage.verb(&["--json", "followers", "requests", "--open"]).await.expect_code(0).json().len(), 3);
    stage.verb(&["followers", "requests", "--apply"]).await.expect_code(2);
    stage.verb(&["followers", "requests", "--apply", "--dry-run"]).await.expect_code(3);
    let status = "SELECT status FROM user_delete_request ORDER BY user_id";
    let statuses = async || stage.rows(status).await.iter().map(|row| row[0].clone().unwrap()).collect::<String>();
    assert_eq!(statuses().await, "0100");

    let done = stage.verb(&["--json", "followers", "requests", "--apply", "--yes"]).await.expect_code(3);
    assert!(done.stderr.contains("3 (oNOBODY)") && done.stderr.contains("4 (oasks"), "{}", done.stderr);
    let json = &done.json()[0];
    assert_eq!((json["done"].as_array().unwrap().len(), json["unknown"].as_array().unwrap().len()), (1, 2));
    assert_eq!((&json["erased"][0]["cause"], &json["erased"][0]["seq"]), (&"request".into(), &1.into()));
    assert_eq!(statuses().await, "1100");
    let rows = "SELECT openid FROM user_mapping WHERE qr_scene IS NOT NULL";
    assert_eq!(stage.rows(rows).await, [[Some("oASKS0000000000000000000002".to_owned())]], "the other one stays");
    stage.verb(&["followers", "requests", "--apply", "--yes"]).await.expect_code(3);
    stage.execute("UPDATE user_delete_request SET status = 1").await;
    stage.verb(&["-q", "followers", "requests", "--apply", "--yes"]).await.expect_code(0);
}

async fn remains_go_too_and_the_chain_stays(stage: Stage) {
    let serve = stage.serve().await;
    let start = signer::now() - 60;
    for number in 0..4 {
        let openid = format!("oLEFT{number:023}");
        serve.push(&event_at("subscribe", &openid, start, NO_KEY)).await;
        serve.push(&event_at("unsubscribe", &openid, start + 1, NO_KEY)).await;
    }
    serve.push(&event_at("subscribe", "oSTAYS", start, NO_KEY)).await;
    receipts(&stage, 4).await;
    idle(&stage).await;
    let old = crate::purge::ago(stage.db, if stage.db == Db::Sqlite { "31 days" } else { "31 DAY" });
    // The last one was erased only now; the one before has written since.
    stage
        .execute(&format!("UPDATE user_mapping SET erased_at = {old} WHERE openid < 'oLEFT00000000000000000000003'"))
        .await;
    serve.push(&text("oLEFT00000000000000000000002", "hello", 7)).await;

    stage.verb(&["followers", "purge", "--older-than", "1h", "--yes"]).await.expect_code(2);
    stage.verb(&["followers", "purge", "--older-than", "30d"]).await.expect_code(2);
    let planned =
        stage.verb(&["--json", "followers", "purge", "--older-than", "30d", "-n"]).await.expect_code(0).json();
    assert_eq!((&planned[0]["people"], stage.number("SELECT COUNT(*) FROM user_mapping").await), (&2.into(), 5));
    let done =
        stage.verb(&["--json", "followers", "purge", "--older-than", "30d", "--yes"]).await.expect_code(0).json();
    assert_eq!((&done[0]["people"], &done[0]["events"]), (&2.into(), &4.into()));
    for gone in ["oLEFT00000000000000000000000", "oLEFT00000000000000000000001"] {
        assert_eq!(holders(&stage, gone).await, [""; 0]);
    }
    let stay = "SELECT openid FROM user_mapping ORDER BY openid";
    let stay: Vec<_> = stage.rows(stay).await.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(stay, ["oLEFT00000000000000000000002", "oLEFT00000000000000000000003", "oSTAYS"]);
    let checked = stage.verb(&["--json", "followers", "forget", "--verify"]).await.expect_code(0).json();
    assert_eq!((&checked[0]["receipts"], &checked[0]["broken"]), (&4.into(), &Value::Null));
    stage.verb(&["-q", "followers", "purge", "--older-than", "30d", "--yes"]).await.expect_code(0);
}

async fn receipts_that_were_changed_are_found(stage: Stage) {
    let serve = stage.serve().await;
    for number in 0..3 {
        serve.push(&event_at("unsubscribe", &format!("oLEFT{number:023}"), signer::now() - 9, NO_KEY)).await;
    }
    receipts(&stage, 3).await;
    let look = async || stage.verb(&["--json", "followers", "forget", "--verify"]).await;
    assert_eq!(look().await.expect_code(0).json()[0]["receipts"], 3);
    for (change, back, seq) in [
        (
            "UPDATE erasure SET openid = 'oX' WHERE seq = 2",
            "UPDATE erasure SET openid = 'oLEFT00000000000000000000001' WHERE seq = 2",
            2,
        ),
        (
            "UPDATE erasure SET cause = 'forget' WHERE seq = 1",
            "UPDATE erasure SET cause = 'unsubscribe' WHERE seq = 1",
            1,
        ),
        (
            "UPDATE erasure SET receipt = REPLACE(receipt, 'unsubscribe', 'forget') WHERE seq = 3",
            "UPDATE erasure SET receipt = REPLACE(receipt, 'forget', 'unsubscribe') WHERE seq = 3",
            3,
        ),
        ("DELETE FROM erasure WHERE seq = 2", "", 3),
    ] {
        stage.execute(change).await;
        let found = look().await.expect_code(1);
        assert_eq!(found.json()[0]["broken"]["seq"], seq, "{change}");
        assert!(found.stderr.contains("does not fit"), "{}", found.stderr);
        if !back.is_empty() {
            stage.execute(back).await;
            look().await.expect_code(0);
        }
    }
}

/// Two processes, where the database allows it, and a verb beside them.
async fn many_who_leave_get_one_chain(stage: Stage) {
    let first = stage.serve().await;
    let second = if stage.db == Db::MariaDb { Some(stage.serve().await) } else { None };
    let start = signer::now() - 9;
    let push = async |serve: &Serve, from: u32| {
        for number in from..from + 60 {
            serve.push(&event_at("unsubscribe", &format!("oMANY{number:023}"), start, NO_KEY)).await;
        }
    };
    let verb = async {
        for number in [0, 1, 2] {
            let openid = format!("oVERB{number:023}");
            first.push(&subscribe(&openid)).await;
            stage.settled().await;
            stage.verb(&["followers", "forget", &openid, "--yes"]).await.expect_code(0);
        }
    };
    tokio::join!(push(&first, 0), push(second.as_ref().unwrap_or(&first), 100), push(&first, 200), verb);
    receipts(&stage, 183).await;
    let checked = stage.verb(&["--json", "followers", "forget", "--verify"]).await.expect_code(0).json();
    assert_eq!(checked[0]["receipts"], 183);
}

async fn privacy_events_act_on_openid(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021"]).await;
    platform.happens("subscribe", OPENID).await;
    let avatar = avatar(&platform, OPENID).await;
    let serve = stage.serve().await;
    let start = signer::now() - 50;
    serve.push(&event_at("subscribe", OPENID, start, NO_KEY)).await;
    serve
        .push(&event_at(
            "LOCATION",
            OPENID,
            start + 1,
            "<Latitude>23.1374</Latitude><Longitude>113.35</Longitude><Precision>1</Precision>",
        ))
        .await;
    serve.push(&text(OPENID, "stays", 7)).await;
    filled(&stage, 1).await;
    let privacy = async |event: &str, at: i64, fields: &str| {
        let pushed =
            serve.push(&event_at(event, "gh_the_platform", at, &format!("{fields}<AppID>wx0</AppID>\n"))).await;
        assert_eq!(pushed.status, 200);
        idle(&stage).await;
    };
    let of_person = |code: &str| format!("<OpenID><![CDATA[{OPENID}]]></OpenID><RevokeInfo>{code}</RevokeInfo>\n");

    // Cleaned by the platform: asked for again.
    stage.execute("UPDATE user_mapping SET nickname = 'old name', avatar_url = 'http://old/0'").await;
    privacy("user_info_modified", start + 2, &of_person("0")).await;
    let row = "SELECT nickname, avatar_url FROM user_mapping";
    let asked = async || (stage.rows(row).await[0][1].as_deref() == Some(avatar.as_str())).then_some(());
    until("the profile again", asked).await;

    // Nobody is named: nothing happens, to nobody.
    for event in ["user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"] {
        privacy(event, start + 3, "<RevokeInfo>205</RevokeInfo>\n").await;
    }
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state <> 'done'").await, 0);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE nickname IS NULL").await, 0);
    assert!(serve.log().contains("no OpenID"), "{}", serve.log());

    // A permission taken back: that kind, nothing else.
    for (code, nicknames, positions) in [("201", 1, 1), ("206", 1, 0), ("205", 0, 0)] {
        privacy("user_authorization_revoke", start + 4, &of_person(code)).await;
        let raw = "SELECT COUNT(*) FROM inbox_event WHERE kind = 'event.location' AND raw IS NOT NULL";
        let has_name = "SELECT COUNT(*) FROM user_mapping WHERE nickname IS NOT NULL";
        assert_eq!((stage.number(has_name).await, stage.number(raw).await), (nicknames, positions), "{code}");
    }
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE city IS NOT NULL AND is_followed = 1").await, 1);
    assert!(!holders(&stage, "stays").await.is_empty());

    // The WeChat account is closed: all of it.
    privacy("user_authorization_cancellation", signer::now(), &of_person("")).await;
    receipts(&stage, 1).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE city IS NULL AND erased_at IS NOT NULL").await, 1);
    assert_eq!(holders(&stage, "stays").await, [""; 0]);
    assert_eq!(
        stage.rows("SELECT cause, openid FROM erasure").await,
        [[Some("cancelled".into()), Some(OPENID.to_owned())]]
    );
}

async fn the_policy_keep_keeps_only_those_who_leave(mut stage: Stage) {
    stage.settings = "unsubscribe_policy = \"keep\"\n".into();
    let serve = stage.serve().await;
    let start = signer::now() - 50;
    let people = ["oKEEP1", "oKEEP2", "oKEEP3"];
    for openid in people {
        serve.push(&event_at("subscribe", openid, start, "<EventKey><![CDATA[qrscene_trace]]></EventKey>")).await;
        serve.push(&event_at("unsubscribe", openid, start + 1, NO_KEY)).await;
    }
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM erasure").await, 0);
    let cancelled = "<OpenID><![CDATA[oKEEP1]]></OpenID>\n";
    serve.push(&event_at("user_authorization_cancellation", "gh_the_platform", start + 2, cancelled)).await;
    stage.verb(&["followers", "forget", "oKEEP2", "--yes"]).await.expect_code(0);
    receipts(&stage, 2).await;
    // Late, from before.
    for openid in people {
        serve.push(&event_at("SCAN", openid, start, "<EventKey><![CDATA[a late trace]]></EventKey>")).await;
    }
    idle(&stage).await;
    let known = "SELECT openid FROM user_mapping WHERE qr_scene IS NOT NULL";
    assert_eq!(stage.rows(known).await, [[Some("oKEEP3".to_owned())]]);
    let raw = "SELECT DISTINCT openid FROM inbox_event WHERE raw IS NOT NULL AND openid LIKE 'oKEEP%'";
    let raw = stage.rows(raw).await;
    assert_eq!(raw, [[Some("oKEEP3".to_owned())]]);
}

/// No unsubscribe ever came; user/info tells it.
async fn user_info_says_that_they_are_gone(stage: Stage) {
    let platform = Platform::of(&stage);
    platform.happens("subscribe", OPENID).await;
    platform.happens("unsubscribe", OPENID).await;
    let serve = stage.serve().await;
    serve.push(&text(OPENID, "a trace", 7)).await;
    stage.execute(&format!("INSERT INTO user_tag (account, openid, tag_id) VALUES ('main', '{OPENID}', 2)")).await;
    serve
        .push(&event_at("subscribe", OPENID, signer::now() - 5, "<EventKey><![CDATA[qrscene_trace]]></EventKey>"))
        .await;
    receipts(&stage, 1).await;
    assert_eq!(stage.rows("SELECT cause FROM erasure").await, [[Some("gone".to_owned())]]);
    assert_eq!(holders(&stage, "trace").await, [""; 0]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_tag").await, 0);
    let row =
        "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0 AND erased_at IS NOT NULL AND unfollow_time IS NULL";
    assert_eq!(stage.number(row).await, 1);
}

/// Somebody reads the file and keeps its log in use. MariaDB has no such file: there nothing is pending.
async fn an_operator_in_the_way_is_pending(stage: Stage) {
    let mut serve = stage.serve().await;
    serve
        .push(&event_at("subscribe", OPENID, signer::now() - 5, "<EventKey><![CDATA[qrscene_trace]]></EventKey>"))
        .await;
    stage.settled().await;
    idle(&stage).await;
    if stage.db == Db::MariaDb {
        let done = stage.verb(&["--json", "followers", "forget", OPENID, "--yes"]).await.expect_code(0).json();
        assert_eq!(done[0]["erased"][0]["stores"], serde_json::json!({}));
        return;
    }
    let file = SqliteConnectOptions::new().filename(stage.folder().join("wxops.db"));
    let mut reader = file.connect().await.unwrap();
    reader.execute("BEGIN").await.unwrap();
    reader.execute("SELECT COUNT(*) FROM user_mapping").await.unwrap();
    let late = stage.verb(&["followers", "forget", OPENID, "--yes", "--wait", "1s"]).await.expect_code(69);
    assert!(late.stderr.contains("file") && late.stderr.contains("followers show"), "{}", late.stderr);
    assert!(late.stdout.contains("pending"), "{}", late.stdout);
    let shown = stage.verb(&["--json", "followers", "show", OPENID]).await.expect_code(0).json();
    assert_eq!(shown[0]["erasure"]["pending"][0], "file");
    assert!(!holders(&stage, "trace").await.is_empty(), "the log still has it: not confirmed too early");
    serve.kill().await;
    stage.execute("UPDATE erasure SET lease_until = 0").await;
    let serve = stage.serve().await;
    reader.execute("COMMIT").await.unwrap();
    drop(reader);
    receipts(&stage, 1).await;
    assert_eq!(holders(&stage, "trace").await, [""; 0]);
    drop(serve);
}

/// Waits until so many erasures have their receipt, and there are no others.
async fn receipts(stage: &Stage, count: i64) {
    let sealed =
        format!("SELECT COUNT(*) FROM erasure WHERE state = 'sealed' AND {count} = (SELECT COUNT(*) FROM erasure)");
    until(&format!("{count} receipts"), async || (stage.number(&sealed).await == count).then_some(())).await;
}

/// Waits until no event and nobody's data is due, nor under way.
async fn idle(stage: &Stage) {
    stage.settled().await;
    let due = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL";
    until("nobody's data to be due", async || (stage.number(due).await == 0).then_some(())).await;
}

/// Waits until so many people have a nickname and nobody is due.
async fn filled(stage: &Stage, count: i64) {
    let named = "SELECT COUNT(*) FROM user_mapping WHERE nickname IS NOT NULL AND info_due_at IS NULL";
    until(&format!("{count} nicknames"), async || (stage.number(named).await == count).then_some(())).await;
    idle(stage).await;
}

/// What of a person is found in no other: the address of their picture.
async fn avatar(platform: &Platform, openid: &str) -> String {
    let address = platform.person(openid).await["headimgurl"].as_str().unwrap().to_owned();
    assert!(address.len() > 20, "{address}");
    address
}

/// Every table, or file of the database, that holds a text.
async fn holders(stage: &Stage, text: &str) -> Vec<String> {
    holders_of(stage, &[text.to_owned()]).await
}

/// The same for any of many.
async fn holders_of(stage: &Stage, texts: &[String]) -> Vec<String> {
    let holds =
        |bytes: &[u8]| texts.iter().any(|text| bytes.windows(text.len()).any(|window| window == text.as_bytes()));
    if stage.db == Db::Sqlite {
        let files = std::fs::read_dir(stage.folder()).unwrap().map(|entry| entry.unwrap().path());
        let database = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("wxops.db"));
        let holding = database.filter(|path| holds(&std::fs::read(path).unwrap()));
        return holding.map(|path| path.display().to_string()).collect();
    }
    let tables = "SELECT table_name, GROUP_CONCAT(CONCAT('CONVERT(`', column_name, '` USING utf8mb4)')) \
                  FROM information_schema.columns WHERE table_schema = DATABASE() \
                  AND data_type NOT IN ('binary', 'varbinary') GROUP BY table_name";
    let mut holders = Vec::new();
    for table in stage.rows(tables).await {
        let [table, columns] = [0, 1].map(|at| table[at].clone().unwrap());
        let rows = stage.rows(&format!("SELECT CONCAT_WS('|', {columns}) FROM `{table}`")).await;
        if rows.iter().any(|row| row[0].as_ref().is_some_and(|text| holds(text.as_bytes()))) {
            holders.push(table);
        }
    }
    holders
}
