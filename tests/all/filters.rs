//! `--where` at the door: whom it finds, what `--explain` tells, and what becomes of slips and of malice.

use crate::export::people;
use crate::process::Outcome;
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::stories;
use tokio::process::Command;

stories! {
    list_and_export_find_the_same,
    explain_counts_and_writes_nothing,
    malice_finds_nobody_and_spoils_nothing,
    a_slip_is_named_before_anything_is_opened,
    a_reader_that_leaves_is_no_failure,
}

/// What people try, as a value: it is looked for, letter by letter, and found where it stands.
const MALICE: &[&str] = &[
    "' OR '1'='1",
    "' OR 1=1 -- ",
    "'; DROP TABLE user_mapping; --",
    "x' UNION SELECT token FROM access_token --",
    "\\' OR 1=1 #",
    "\u{bf}' OR 1=1 -- ",
    "%",
    "?",
    ":1",
    "1); DELETE FROM user_mapping; --",
    "${DATABASE_URL}",
];

/// And as a filter: none is one; the parser's own tests have more of them.
const NO_FILTERS: &[&str] = &[
    "1=1",
    "sex = 1; DROP TABLE user_mapping",
    "sex = 1 UNION SELECT token FROM access_token",
    "openid in (SELECT token FROM access_token)",
    "city = 'a' or 1",
];

async fn list(stage: &Stage, filter: &str) -> Outcome {
    stage.verb(&["--json", "followers", "list", "--where", filter]).await
}

/// The text in quotes of a filter.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn ids(outcome: &Outcome) -> Vec<u32> {
    outcome.stdout.split("oPERSON").skip(1).map(|rest| rest[..21].parse().unwrap()).collect()
}

async fn tagged(stage: &Stage) {
    people(stage, 1, 6).await;
    stage.execute("INSERT INTO tag (account, tag_id, name) VALUES ('main', 100, 'vip'), ('main', 101, '新客')").await;
    stage.execute("UPDATE user_mapping SET city = '深圳', sex = 2 WHERE id IN (2, 3)").await;
    stage.execute("UPDATE user_mapping SET city = NULL, follow_time = NULL WHERE id = 4").await;
    stage
        .execute(
            "INSERT INTO user_tag (account, openid, tag_id) SELECT 'main', openid, 100 FROM user_mapping WHERE id <= 2",
        )
        .await;
}

async fn list_and_export_find_the_same(stage: Stage) {
    tagged(&stage).await;
    for (filter, found) in [
        ("city = \"深圳\"", &[2, 3][..]),
        ("city != '深圳'", &[1, 4, 5, 6]),
        ("city not known or sex = 2", &[2, 3, 4]),
        ("tag has \"vip\"", &[1, 2]),
        ("tag has 100 and not city in ('深圳', '北京')", &[1]),
        ("not tag known", &[3, 4, 5, 6]),
        ("(sex = 2 or id > 4) and is_followed = yes", &[3, 5]),
        ("follow_time = 2026-11-21", &[1, 2, 3, 5, 6]),
        ("follow_time < -36500d or follow_time > 2100-01-01", &[]),
        ("created_at >= 2026-11-21T08:00:00+08:00 and id<=3", &[1, 2, 3]),
    ] {
        let listed = list(&stage, filter).await.expect_code(0);
        assert_eq!(ids(&listed), found, "{filter}");
        let exported = stage.verb(&["followers", "export", "--where", filter]).await.expect_code(0);
        assert_eq!(ids(&exported), found, "{filter}");
        assert_eq!(listed.stderr, "", "{filter}");
    }
    let both = ["--json", "followers", "list", "--followed", "--limit", "1", "--where", "sex known"];
    assert_eq!(ids(&stage.verb(&both).await.expect_code(0)), [3]);
    let unknown = list(&stage, "tag has 'vpi' or id = 1").await.expect_code(0);
    assert_eq!(ids(&unknown), [1]);
    assert!(unknown.stderr.contains("no tag has the name \"vpi\""), "{}", unknown.stderr);
}

async fn explain_counts_and_writes_nothing(stage: Stage) {
    tagged(&stage).await;
    let filter = "city = '深圳' and follow_time >= 2026-11-01";
    for verb in [&["followers", "list"][..], &["followers", "export", "--output-file", "a.csv"]] {
        let words = [verb, &["--explain", "--where", filter]].concat();
        let told = stage.verb(&words).await.expect_code(0);
        let lines: Vec<_> = told.stdout.lines().collect();
        assert_eq!(lines[0], "2 people", "{told:?}");
        assert!(lines[1].starts_with("SELECT COUNT(*) FROM user_mapping WHERE ") && lines[1].contains("city"));
        assert!(!lines[1].contains("深圳") && !lines[1].contains("2026"), "values are bound: {}", lines[1]);
        assert_eq!(&lines[2..], ["  ?1  \"深圳\"", "  ?2  \"2026-10-31T16:00:00.000Z\""]);
        assert_eq!(told.stderr, "");

        let json = stage.verb(&[&["--json"], &words[..]].concat()).await.expect_code(0).json();
        assert_eq!(json[0]["count"], 2);
        assert_eq!(json[0]["sql"].as_str().unwrap(), lines[1]);
        assert_eq!(json[0]["values"], serde_json::json!(["深圳", "2026-10-31T16:00:00.000Z"]));
    }
    let chinese = stage.verb(&["--lang", "zh", "followers", "list", "--explain"]).await.expect_code(0);
    assert_eq!(chinese.stdout, "6 人\nSELECT COUNT(*) FROM user_mapping\n");
    assert!(!stage.folder().join("a.csv").exists(), "nothing is exported");

    // The SQL is what it says: a person can run it.
    let told = stage.verb(&["followers", "list", "--explain", "--where", "sex = 2"]).await.expect_code(0);
    let sql = told.stdout.lines().nth(1).unwrap().replace('?', "2");
    assert_eq!(stage.number(&sql).await, 2, "{sql}");
}

async fn malice_finds_nobody_and_spoils_nothing(stage: Stage) {
    let count = MALICE.len() as u32;
    people(&stage, 1, count + 1).await;
    let all = MALICE.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let nobody = format!("city in ({all}) or openid in ({all}) or tag in ({all}) or nickname in ({all})");
    assert!(ids(&list(&stage, &nobody).await.expect_code(0)).is_empty());
    // Where such a text stands in a column, it and nothing else is found by it.
    for (at, text) in MALICE.iter().enumerate() {
        let twice = text.replace('\'', "''");
        let stored = if stage.db == Db::MariaDb { twice.replace('\\', "\\\\") } else { twice };
        stage.execute(&format!("UPDATE user_mapping SET city = '{stored}' WHERE id = {}", at + 1)).await;
    }
    let each = MALICE.iter().zip(1..).map(|(text, id)| format!("id = {id} and city = {}", quoted(text)));
    let each = each.collect::<Vec<_>>().join(" or ");
    assert_eq!(ids(&list(&stage, &each).await.expect_code(0)), (1..=count).collect::<Vec<_>>());
    assert_eq!(ids(&list(&stage, &format!("city not in ({all})")).await.expect_code(0)), [count + 1]);
    for text in NO_FILTERS {
        let outcome = list(&stage, text).await.expect_code(2);
        assert!(outcome.stderr.contains("the filter at column ") && outcome.stdout.is_empty(), "{text}: {outcome:?}");
    }
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, i64::from(count) + 1);
}

async fn a_slip_is_named_before_anything_is_opened(mut stage: Stage) {
    stage.env.push(("DATABASE_URL".to_owned(), "mysql://nobody@127.0.0.1:9/none".to_owned()));
    for verb in ["list", "export"] {
        let slip = ["followers", verb, "--where", "sex = 1 and folow_time > -3d"];
        let outcome = stage.verb(&slip).await.expect_code(2);
        let pointed = "\n  sex = 1 and folow_time > -3d\n              ^\n";
        let said = "error: the filter at column 13: there is no field folow_time; next: did you mean follow_time?";
        assert_eq!((outcome.stdout, outcome.stderr), (String::new(), format!("{said}{pointed}")));
        let chinese = stage.verb(&[&["--lang", "zh"], &slip[..]].concat()).await.expect_code(2);
        let said = "错误：过滤条件第 13 列：没有字段 folow_time；下一步：是不是 follow_time？";
        assert_eq!(chinese.stderr, format!("{said}{pointed}"));
        let json = stage.verb(&[&["--json"], &slip[..]].concat()).await.expect_code(2);
        let last: serde_json::Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
        assert_eq!((last["code"].as_i64(), last["next"].as_str()), (Some(2), Some("did you mean follow_time?")));
    }
}

async fn a_reader_that_leaves_is_no_failure(stage: Stage) {
    people(&stage, 1, 3000).await;
    let (binary, config) = (env!("CARGO_BIN_EXE_wxops"), stage.config());
    for args in ["list", "list --json", "export", "export --as ndjson", "list --explain"] {
        let script = format!(
            "'{binary}' --config '{config}' followers {args} --where 'id > 5' | head -1; exit ${{PIPESTATUS[0]}}"
        );
        let output = Command::new("bash").args(["-c", &script]).current_dir(stage.folder()).output().await.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{args}");
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "{args}");
    }
}
