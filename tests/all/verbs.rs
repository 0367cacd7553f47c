//! What every verb has in common: its help, its JSON, its silence, its exit codes; and the lists.

use crate::drain::Crm;
use crate::messages::{OPENID, subscribe, text};
use crate::platform::{Platform, verb_in};
use crate::process::Outcome;
use crate::rows::Db;
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

stories! {
    lists_narrow,
    a_nickname_does_not_steer_the_terminal,
    a_closed_pipe_is_no_failure,
    tail_shows_what_comes_until_interrupted,
    a_schema_is_made_once,
}

/// Six processes a verb: more than a story's time on a busy machine.
mod long {
    use super::json_and_silence_of_every_verb;
    use crate::faults::fault_stories;

    fault_stories! {
        json_and_silence_of_every_verb,
    }
}

/// Every verb, with arguments that make it work on a stage with one follower and one event. `CALLBACK` is the URL.
pub const VERBS: &[(&str, &str)] = &[
    ("init", "--dir fresh"),
    ("serve", "--listen 127.0.0.1:0"),
    ("status", ""),
    ("sandbox run", "--listen 127.0.0.1:0"),
    ("sandbox push", "list"),
    ("sandbox faults", ""),
    ("sandbox clock", "show"),
    ("callback check", "CALLBACK --no-post"),
    ("token refresh", ""),
    ("token show", ""),
    ("token set", ""),
    ("token clear", ""),
    ("token blame", ""),
    ("quota show", ""),
    ("quota clear", "--dry-run"),
    ("quota forecast", ""),
    ("followers list", ""),
    ("followers sync", ""),
    ("followers export", ""),
    ("followers show", OPENID),
    ("locations near", "23.1345,113.3588 --radius 2km"),
    ("followers requests", ""),
    ("followers purge", "--older-than 30d --yes"),
    ("events list", ""),
    ("events show", "1"),
    ("events replay", "1"),
    ("events tail", ""),
    ("events stats", ""),
    ("events purge", "--older-than 90d --yes"),
    ("events repair", "--since 1h --yes"),
    ("sends unknown", ""),
    ("jobs list", "--limit 1"),
    ("jobs show", "1"),
    ("db migrate", ""),
    ("db status", ""),
    ("completions", "bash"),
    ("man", ""),
    ("explain", "40164"),
    ("doctor", ""),
    ("db backup", "copy.db --yes"),
    ("followers forget", "oTEST0000000000000000000001_ --yes"),
    ("queue install", "--demo --yes"),
    ("queue validate", ""),
    ("queue drain", "--max-time 5s"),
    ("queue status", ""),
    ("queue list", ""),
    ("queue show", "1"),
    ("queue retry", "1"),
    ("queue cleanup", "--older-than 30d --yes"),
    ("queue test", "--dry-run"),
    ("queue rollback", "--dry-run"),
];
/// These run until they are stopped.
pub const ENDLESS: [&str; 3] = ["serve", "sandbox run", "events tail"];
/// With `-q` these show what was asked for; every other says nothing.
const ASKED_FOR: &[&str] = &[
    "status",
    "token show",
    "token blame",
    "quota show",
    "quota forecast",
    "followers list",
    "followers export",
    "followers show",
    "locations near",
    "followers requests",
    "events list",
    "events show",
    "events stats",
    "jobs list",
    "jobs show",
    "db status",
    "completions",
    "man",
    "explain",
    "queue status",
    "queue list",
    "queue show",
];

/// Help needs no database: it is looked at once.
#[tokio::test]
async fn help_of_every_verb() {
    let found = discovered().await;
    let listed: BTreeSet<String> = VERBS.iter().map(|(verb, _)| (*verb).to_owned()).collect();
    assert_eq!(found, listed, "what is listed works, and what works is listed");
    for verb in found {
        let shown = help(&verb).await;
        let example = format!("\n  wxops {}", verb.split(' ').next().unwrap());
        assert!(shown.starts_with("Example:\n") && shown.contains(&example), "{shown}");
        assert!(shown.contains("Usage: wxops"), "{shown}");
        assert!(!shown.contains("TODO") && !shown.contains('\u{1b}'), "{shown}");
        let long: Vec<_> = shown.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{verb}: {long:?}");
    }
}

/// A slip is answered with the name that is near.
#[tokio::test]
async fn slips_name_what_is_near() {
    for (args, near) in [
        ("evnts list", "events"),
        ("events lst", "list"),
        ("events list --stat dead", "--state"),
        ("events list --state deda", "dead"),
        ("followers list --folowed", "--followed"),
        ("followers list --since soon", "2026-11-01"),
        ("followers list --limit -1", "-1"),
        ("callback chek", "check"),
        ("callback check http://x --no-pots", "--no-post"),
        ("callback check x --mode sekure", "secure"),
        ("token refresh --forced", "--force"),
        ("token shw", "show"),
        ("db migrat", "migrate"),
        ("db status --jsn", "--json"),
        ("sandbox pus text", "push"),
        ("sandbox push subscrib", "subscribe"),
        ("sandbox push text --mode sekure", "secure"),
        ("events show", "<ID>"),
        ("events show abc", "abc"),
        ("events replay", "ID"),
        ("followers show", "OPENID"),
        ("serve --sandbx", "--sandbox"),
        ("init --dirr x", "--dir"),
        ("token show --format yaml", "json"),
        ("token show --timeout soon", "5m"),
        ("token show -q -v", "quiet"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(folder.path(), args).await.expect_code(2);
        assert!(outcome.stderr.contains(near), "{args}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.contains('\u{1b}'), "{args}: {outcome:?}");
        let json = run(folder.path(), &format!("{args} --json")).await.expect_code(2);
        let last: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(last["code"], 2, "{args}: {last}");
    }
}

async fn json_and_silence_of_every_verb(stage: Stage) {
    // The queue's verbs have an application, and a notification that was given up; the others have one account.
    let mut stage = with_a_dead_notification(stage).await;
    let of_the_queue = std::mem::take(&mut stage.settings);
    let serve = stage.serve().await;
    serve.push(&subscribe(OPENID)).await;
    stage.settled().await;
    stage.execute("UPDATE inbox_event SET id = 1").await;
    let at = if stage.db == Db::Sqlite { "2026-11-21T00:00:00.000Z" } else { "2026-11-21 00:00:00.000" };
    stage
        .execute(&format!(
            "INSERT INTO location (account, openid, latitude, longitude, at, expires_at, cell, tidy_at) VALUES \
                 ('main', '{OPENID}', 23.1345, 113.3588, '{at}', 9999999999999, 16292267, 9999999999999)"
        ))
        .await;
    stage.execute("INSERT INTO user_delete_request (user_id, openid) VALUES (7, 'oNOBODY')").await;
    // A MariaDB is copied with the server's own tool; nothing is in doubt and no token was refused here, so there is
    // nothing to list; and the sandbox has never heard of the person that repair and sync ask it about.
    let fails = ["sends unknown", "token blame", "events repair", "followers sync"];
    let works = |verb: &str| {
        !ENDLESS.contains(&verb) && !fails.contains(&verb) && (verb != "db backup" || stage.db == Db::Sqlite)
    };
    for (verb, args) in VERBS.iter().filter(|(verb, _)| works(verb)) {
        let args = args.replace("CALLBACK", &format!("http://{}/wechat/event", serve.address()));
        let words: Vec<&str> = verb.split(' ').chain(args.split(' ')).filter(|word| !word.is_empty()).collect();
        stage.settings = if verb.starts_with("queue") { of_the_queue.clone() } else { String::new() };
        let json = stage.verb_with(&[&["--json"], &words[..]].concat(), "a-token").await.expect_code(0);
        let values = json.json();
        assert_eq!(values.len(), 1, "{verb}: {}", json.stdout);
        assert!(values[0].is_object() && !json.stdout.contains('\u{1b}'), "{verb}: {}", json.stdout);
        ids_are_text(verb, &values[0]);

        let quiet = stage.verb_with(&[&["-q"], &words[..]].concat(), "b-token").await.expect_code(0);
        assert_eq!(quiet.stderr, "", "{verb}");
        if !verb.starts_with("sandbox") {
            assert_eq!(quiet.stdout.is_empty(), !ASKED_FOR.contains(verb), "{verb}: {}", quiet.stdout);
        }
        if verb.starts_with("token") {
            let unknown = stage.verb_with(&[&["--account", "nobody"], &words[..]].concat(), "d").await.expect_code(2);
            assert!(unknown.stderr.contains("nobody") && unknown.stderr.contains("main"), "{verb}: {}", unknown.stderr);
        }
        let early = stage.verb_with(&[&["--timeout", "0s"], &words[..]].concat(), "f-token").await;
        assert!(matches!(early.code, Some(0 | 2 | 69)), "{verb}: {early:?}");
    }
}

/// The stage with the queue in it, whose notification 1 was given up, and the settings of that.
pub async fn with_a_dead_notification(stage: Stage) -> Stage {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(1, 1).await;
    let ended = if crm.stage.db == Db::Sqlite { "2026-11-21T00:00:00.000Z" } else { "2026-11-21 00:00:00.000" };
    crm.stage
        .execute(&format!(
            "UPDATE member_notification_queue SET status = 'dead', attempts = 1, last_error_code = 81013, \
             last_error = 'UserID not found', processed_at = '{ended}'"
        ))
        .await;
    crm.stage
}

async fn lists_narrow(stage: Stage) {
    let serve = stage.serve().await;
    for number in 0..3 {
        serve.push(&subscribe(&format!("oLIST{number:023}"))).await;
    }
    serve.push(&text("oLIST00000000000000000000000", "x", 1)).await;
    stage.settled().await;
    // One follows since 2020, one has left.
    let (early, left) = ("oLIST00000000000000000000001", "oLIST00000000000000000000002");
    let time = if stage.db == Db::Sqlite { "2020-05-01T00:00:00.000Z" } else { "2020-05-01 00:00:00.000" };
    stage.execute(&format!("UPDATE user_mapping SET follow_time = '{time}' WHERE openid = '{early}'")).await;
    stage.execute(&format!("UPDATE user_mapping SET is_followed = 0 WHERE openid = '{left}'")).await;
    for (args, count) in [
        ("followers list", 3),
        ("followers list --followed", 2),
        ("followers list --followed --since 2h", 1),
        ("followers list --since -2h", 2),
        ("followers list --since 30m", 2),
        ("followers list --since 2020-05-01", 3),
        ("followers list --since 2020-05-02", 2),
        ("followers list --since 2020-05-01T08:00:00+08:00", 3),
        ("followers list --since 2020-05-01T00:00:01Z", 2),
        ("followers list --since 9000d", 3),
        ("followers list --limit 1", 1),
        ("followers list --limit 0", 0),
        ("followers list --account main", 3),
        ("followers list --account all", 3),
        ("events list", 4),
        ("events list --limit 2", 2),
        ("events list --kind message.text", 1),
        ("events list --openid oLIST00000000000000000000001", 1),
        ("events list --openid olist00000000000000000000001", 0),
        ("events list --state done --since 1h --kind event.subscribe", 3),
        ("events list --state dead", 0),
        ("events list --since 2100-01-01", 0),
    ] {
        let words: Vec<&str> = ["--json"].into_iter().chain(args.split(' ')).collect();
        let rows = stage.verb(&words).await.expect_code(0).json();
        assert_eq!(rows.len(), count, "{args}: {rows:?}");
        rows.iter().for_each(|row| ids_are_text(args, row));
    }
    let ids = stage.verb(&["--json", "events", "list"]).await.json();
    let ids: Vec<i64> = ids.iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "newest first: {ids:?}");
    for (args, code) in [
        ("followers show oNOBODY000000000000000000001", 1),
        ("followers list --account nobody", 2),
        ("events list --account nobody", 2),
        ("followers show -oxyz", 1),
    ] {
        let outcome = stage.verb(&args.split(' ').collect::<Vec<_>>()).await.expect_code(code);
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains("error: "), "{args}: {outcome:?}");
    }
}

async fn a_nickname_does_not_steer_the_terminal(stage: Stage) {
    let serve = stage.serve().await;
    serve.push(&subscribe(OPENID)).await;
    let words = "a\u{9b}31mb\u{202e}c\td";
    serve.push(&text(OPENID, words, 1)).await;
    stage.settled().await;
    // Ends the line, colours, clears, sets the title, turns the writing round.
    let bytes = "'小明', x'1b5b326a', x'c29b33316d', x'1b5d303b7807', x'e280ae', x'0d0a09', '𠮷'";
    let (joined, error) = match stage.db {
        Db::Sqlite => (format!("CAST({} AS TEXT)", bytes.replace(", ", " || ")), "CAST('e' || x'1b63' AS TEXT)"),
        Db::MariaDb => {
            (format!("CONVERT(CONCAT({bytes}) USING utf8mb4)"), "CONVERT(CONCAT('e', x'1b63') USING utf8mb4)")
        }
    };
    stage
        .execute(&format!("UPDATE user_mapping SET nickname = {joined}, qr_scene = {joined}, info_error = {error}"))
        .await;
    stage.execute(&format!("UPDATE inbox_event SET last_error = {error}")).await;
    for args in ["followers list", "events list", "events show", "followers show"] {
        let ids = stage.verb(&["--json", "events", "list"]).await.json();
        let mut words: Vec<&str> = args.split(' ').collect();
        match args {
            "followers show" => words.push(OPENID),
            "events show" => words.push(ids[0]["id"].as_str().unwrap()),
            _ => {}
        }
        for format in ["table", "json"] {
            let outcome = stage.verb(&[&["--format", format], &words[..]].concat()).await.expect_code(0);
            let harmful = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
            assert!(!outcome.stdout.contains(harmful), "{args} {format}: {:?}", outcome.stdout);
            if format == "json" {
                let whole = outcome.json();
                let nickname = whole[0].get("nickname").and_then(Value::as_str);
                assert!(nickname.is_none_or(|name| name.starts_with("小明\u{1b}[2j\u{9b}31m") && name.ends_with('𠮷')));
            } else if args == "followers list" {
                assert_eq!(outcome.stdout.lines().count(), 2, "a row stays a line: {}", outcome.stdout);
            }
        }
    }
    assert!(!serve.log().contains('\u{1b}'));
}

async fn a_closed_pipe_is_no_failure(stage: Stage) {
    let rows = |from: usize| {
        let row = |n| format!("('main', 'oPIPE{n:023}', 1, '2026-11-21 00:00:00.000', '2026-11-21 00:00:00.000')");
        (from..from + 500).map(row).collect::<Vec<_>>().join(", ")
    };
    let insert = "INSERT INTO user_mapping (account, openid, is_followed, created_at, updated_at) VALUES ";
    stage.execute(&format!("{insert}{}", rows(0))).await;
    stage.execute(&format!("{insert}{}", rows(500))).await;
    if stage.db == Db::Sqlite {
        stage.execute("UPDATE user_mapping SET created_at = '2026-11-21T00:00:00.000Z', updated_at = created_at").await;
        stage.execute("UPDATE user_mapping SET updated_at = created_at").await;
    }
    let config = stage.config();
    for args in ["--json followers list", "followers list", "--help", "sandbox push list"] {
        let script =
            format!("'{}' --config '{config}' {args} | head -1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_wxops"));
        let output = Command::new("bash").args(["-c", &script]).current_dir(stage.folder()).output().await.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{args}");
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "{args}");
    }
    let full = Command::new(env!("CARGO_BIN_EXE_wxops"))
        .args(["--config", &config, "--json", "followers", "list"])
        .current_dir(stage.folder())
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .status()
        .await
        .unwrap();
    assert_eq!(full.code(), Some(1), "a full disk is a failure");
}

async fn tail_shows_what_comes_until_interrupted(stage: Stage) {
    let serve = stage.serve().await;
    serve.push(&text(OPENID, "before", 1)).await;
    let mut tail = Command::new(env!("CARGO_BIN_EXE_wxops"))
        .args(["--config", &stage.config(), "--json", "events", "tail", "--kind", "message.text"])
        .current_dir(stage.folder())
        .kill_on_drop(true)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(crate::stage::PATIENCE, lines.next_line()).await.expect("a line in time");
        serde_json::from_str::<Value>(&line.unwrap().expect("a line")).unwrap()
    };
    let first = next().await;
    serve.push(&subscribe("oTAIL0000000000000000000001_")).await;
    for number in 2..5 {
        serve.push(&text(OPENID, "after", number)).await;
        let row = next().await;
        assert!(row["kind"] == "message.text" && row["id"] != first["id"], "{row}");
    }
    let pid = tail.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let ended = tail.wait_with_output().await.unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(!stderr.contains("panick"), "{stderr}");
}

async fn a_schema_is_made_once(stage: Stage) {
    let config = std::fs::read_to_string(stage.config()).unwrap();
    let fresh = match stage.db {
        Db::Sqlite => "fresh.db".to_owned(),
        Db::MariaDb => {
            let at = config.find("/story_").unwrap() + 1;
            let name = config[at..].split('"').next().unwrap().to_owned() + "_fresh";
            stage.execute(&format!("CREATE DATABASE {name}")).await;
            name
        }
    };
    let there = |text: &str| match stage.db {
        Db::Sqlite => text.replace("wxops.db", &fresh),
        Db::MariaDb => text.replace(fresh.trim_end_matches("_fresh"), &fresh),
    };
    let verb = async |args: &[&str]| verb_in(&stage, there, args, "").await;
    let files = |outcome: Outcome| outcome.json()[0]["files"].as_array().unwrap().clone();

    let empty = verb(&["--json", "db", "status"]).await.expect_code(78);
    assert!(files(empty).iter().all(|file| file["applied"] == false));
    let plan = verb(&["--json", "db", "migrate", "--dry-run"]).await.expect_code(0).json();
    assert!(plan[0]["dry_run"] == true && !plan[0]["applied"].as_array().unwrap().is_empty());
    verb(&["db", "status"]).await.expect_code(78);
    if stage.db == Db::MariaDb {
        for args in [&["serve"][..], &["token", "show"], &["events", "list"]] {
            let refused = verb(args).await.expect_code(78);
            assert!(refused.stderr.contains("wxops db migrate"), "{}", refused.stderr);
        }
    }
    let both = tokio::join!(verb(&["--json", "db", "migrate"]), verb(&["--json", "db", "migrate"]));
    both.0.expect_code(0);
    both.1.expect_code(0);
    let done = verb(&["--json", "db", "status"]).await.expect_code(0);
    assert!(files(done).iter().all(|file| file["applied"] == true && file["version"].is_string()));
    let again = verb(&["--json", "db", "migrate"]).await.expect_code(0).json();
    assert_eq!(again[0]["applied"].as_array().unwrap().len(), 0);
    let table = verb(&["db", "migrate"]).await.expect_code(0);
    assert!(table.stdout.contains("nothing to do"), "{}", table.stdout);
    verb(&["token", "show"]).await.expect_code(0);
}

/// The sandbox is there for every story; this one asks it.
#[tokio::test]
async fn the_sandboxs_verbs_speak_to_the_configured_one() {
    let Some(stage) = Stage::new(Db::Sqlite, "verbs::the_sandboxs_verbs").await else { return };
    let platform = Platform::of(&stage);
    stage.verb(&["sandbox", "faults", "busy@/cgi-bin/user/info=1", "slow=1%"]).await.expect_code(0);
    let shown = stage.verb(&["--json", "sandbox", "faults"]).await.expect_code(0).json();
    assert_eq!(shown[0]["faults"].as_array().unwrap().len(), 2);
    stage.verb(&["sandbox", "faults", "--clear"]).await.expect_code(0);
    stage.verb(&["sandbox", "faults", "nothing=1"]).await.expect_code(2);
    stage.verb(&["sandbox", "faults", "busy=2"]).await.expect_code(2);
    let moved = stage.verb(&["--json", "sandbox", "clock", "+2h"]).await.expect_code(0).json();
    assert_eq!(moved[0]["advanced_seconds"], 7200);
    let back = stage.verb(&["--json", "sandbox", "clock", "-1h"]).await.expect_code(0).json();
    assert_eq!(back[0]["advanced_seconds"], 3600);
    stage.verb(&["sandbox", "clock", "later"]).await.expect_code(2);
    assert!(platform.calls("/cgi-bin/token").await.is_empty(), "its own side is not in its journal");
    let away = ["sandbox", "clock", "--sandbox", "http://127.0.0.1:1"];
    let outcome = stage.verb(&away).await.expect_code(69);
    assert!(outcome.stderr.contains("sandbox run"), "{}", outcome.stderr);

    let mut serve = stage.serve().await;
    let to = format!("http://{}/wechat/event", serve.address());
    let pushed =
        stage.verb(&["--json", "sandbox", "push", "subscribe", "--count", "20", "--to", &to]).await.expect_code(0);
    assert_eq!(pushed.json().len(), 1, "{}", pushed.stdout);
    until("20 people", async || (stage.number("SELECT COUNT(*) FROM user_mapping").await == 20).then_some(())).await;
    let told = || serve.log().lines().filter(|line| line.contains("event.subscribe")).count();
    until("a line an event", async || (told() >= 20).then_some(())).await;
    assert_eq!(told(), 20, "{}", serve.log());
    assert_eq!(serve.stop().await.0, Some(0));
}

/// No id of a row is a number: other languages lose digits of a large one.
fn ids_are_text(verb: &str, value: &Value) {
    for name in ["id", "generation", "version"] {
        assert!(value.get(name).is_none_or(Value::is_string), "{verb}: {name} in {value}");
    }
}

async fn run(folder: &std::path::Path, args: &str) -> Outcome {
    let words: Vec<&str> = args.split(' ').filter(|word| !word.is_empty()).collect();
    crate::process::run(folder, &words, &[], "").await
}

/// Every verb that the program's own help names.
pub async fn discovered() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for group in groups_in(&help("").await) {
        let verbs = groups_in(&help(&group).await);
        match verbs.is_empty() {
            true => drop(found.insert(group)),
            false => found.extend(verbs.iter().map(|verb| format!("{group} {verb}"))),
        }
    }
    found
}

/// What a verb's help says.
pub async fn help(verb: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let shown = run(folder.path(), &format!("{verb} --help")).await.expect_code(0);
    assert_eq!(shown.stderr, "", "{verb}");
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 0, "help leaves nothing behind");
    shown.stdout
}

/// The names below Groups or Commands.
fn groups_in(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| *line != "Groups:" && *line != "Commands:").skip(1);
    let names = below.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}
