//! `wxops explain`: codes, rids, reasons, exit codes, and lines as people paste them.

use crate::messages::{OPENID, vectors};
use crate::platform::{Platform, verb_in};
use crate::process::{self, Outcome};
use crate::rows::Db;
use crate::signer::{self, Mode};
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use wxops::wire::cause::Cause;
use wxops::wire::reason::Reason;

stories! {
    a_rid_shows_its_request,
}

/// The five things that are said of everything.
const SAID: [&str; 5] = ["cause", "who_acts", "does", "mend", "next"];

/// What other programs than ours a step may name.
const FOREIGN: [&str; 7] = ["journalctl", "timedatectl", "systemctl", "curl", "df", "ss", "wxops"];

fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Runs it in an empty folder, without any configuration; it leaves nothing behind.
async fn explain(args: &[&str], stdin: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let outcome = process::run(folder.path(), args, &[], stdin).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{args:?} leaves nothing behind");
    assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'));
    outcome
}

/// The names of what is explained.
fn names(outcome: &Outcome) -> Vec<String> {
    outcome.json().iter().map(|value| value["name"].as_str().unwrap().to_owned()).collect()
}

/// All is said, in both languages.
fn is_whole(value: &Value) {
    for key in SAID {
        let (en, zh) = (value[key]["en"].as_str().unwrap_or(""), value[key]["zh"].as_str().unwrap_or(""));
        assert!(!en.is_empty() && has_han(zh), "{key} of {value}");
    }
}

/// The command of a step is one of the program, or of the system.
async fn exists(command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    assert!(FOREIGN.contains(&words[0]), "{command}");
    if words[0] == "wxops" {
        let args: Vec<&str> =
            words[1..].iter().copied().filter(|word| *word != "--version").chain(["--help"]).collect();
        explain(&args, "").await.expect_code(0);
    }
}

#[tokio::test]
async fn every_code_of_the_reference() {
    let vectors = vectors(include_str!("../vectors/official-account-errcodes.json"));
    let rows = vectors["rows"].as_array().unwrap();
    let mut commands = BTreeSet::new();
    let mut seen = 0;
    for rows in rows.chunks(40) {
        let codes: Vec<String> = rows.iter().map(|row| row["errcode"].to_string()).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let told = explain(&[&["explain", "--json"], &codes[..]].concat(), "").await.expect_code(0);
        let told: Vec<Value> = told.json().into_iter().filter(|value| value["kind"] == "errcode").collect();
        for (row, value) in rows.iter().zip(&told) {
            for (ours, theirs) in [("errcode", "errcode"), ("class", "class"), ("exit", "exit"), ("errmsg", "errmsg")] {
                assert_eq!(value[ours], row[theirs], "{value}");
            }
            is_whole(value);
            assert_eq!(value["known"], true);
            let exit = format!(" {}", row["exit"]);
            assert!(value["does"]["en"].as_str().unwrap().ends_with(&exit), "{value}");
            commands.extend(value["command"].as_str().map(str::to_owned));
            seen += 1;
        }
        for (lang, label) in [("en", "who acts"), ("zh", "谁处理")] {
            let table = explain(&[&["--lang", lang, "explain"], &codes[..]].concat(), "").await.expect_code(0);
            for block in table.stdout.trim_end().split("\n\n") {
                assert_eq!(block.lines().count(), 6, "{block}");
                assert!(block.contains(label) && block.lines().skip(1).all(|l| lang == "en" || has_han(l)), "{block}");
            }
            assert_eq!(table.stderr, "");
        }
    }
    assert_eq!(seen, 120);
    for command in commands {
        exists(&command).await;
    }
}

#[tokio::test]
async fn codes_of_the_group_robot() {
    let told = explain(&["explain", "--json", "93000", "40058"], "").await.expect_code(0).json();
    let robot: Vec<&Value> = told.iter().filter(|value| value["kind"] == "errcode").collect();
    assert_eq!((robot[0]["platform"].as_str(), robot[0]["exit"].as_i64()), (Some("wecom"), Some(77)), "{told:?}");
    assert!(robot[0]["mend"]["en"].as_str().unwrap().contains("WXOPS_ALERT_WEBHOOK"), "{told:?}");
    assert!(robot[0]["does"]["zh"].as_str().unwrap().contains("每小时"), "{told:?}");
    robot.iter().for_each(|value| is_whole(value));
}

#[tokio::test]
async fn every_code_of_wecom() {
    let rows: Vec<&str> = include_str!("../../src/platform/errcode/wecom.rs").lines().filter_map(code_of_row).collect();
    assert!(rows.len() > 35, "{rows:?}");
    let mut commands = BTreeSet::new();
    for rows in rows.chunks(40) {
        let told = explain(&[&["explain", "--json", "--platform", "wecom"], rows].concat(), "").await.expect_code(0);
        let told: Vec<Value> = told.json().into_iter().filter(|value| value["kind"] == "errcode").collect();
        assert_eq!(told.len(), rows.len());
        for value in &told {
            is_whole(value);
            assert_eq!((value["platform"].as_str(), value.get("also")), (Some("wecom"), None), "{value}");
            commands.extend(value["command"].as_str().map(str::to_owned));
        }
    }
    // What a person retries is named in the sentence, and `queue` has its own stories.
    for command in commands.iter().filter(|command| !command.contains(" queue ")) {
        exists(command).await;
    }
    for (code, parts) in [
        ("60020", &["stops sending", "ends with 77"][..]),
        ("81013", &["gives the notification up at once", "ends with 1"]),
        ("40014", &["fetches a fresh token", "once", "ends with 77"]),
        ("-1", &["queue.max_attempts times in all", "ends with 69"]),
        ("45009", &["pauses sending", "goes on by itself"]),
    ] {
        let value =
            explain(&["--json", "explain", "--platform", "wecom", code], "").await.expect_code(0).json().remove(0);
        let does = value["does"]["en"].as_str().unwrap();
        assert!(parts.iter().all(|part| does.contains(part)), "{code}: {does}");
    }
    let foreign = explain(&["explain", "--platform", "wecom", "40164"], "").await.expect_code(1);
    assert!(foreign.stdout.contains("open.work.weixin.qq.com/devtool/query"), "{}", foreign.stdout);
    explain(&["explain", "--platform", "alipay", "1"], "").await.expect_code(2);
}

/// The code in a line of the table.
fn code_of_row(line: &str) -> Option<&str> {
    line.trim().strip_prefix("row(")?.split(',').next()
}

#[tokio::test]
async fn a_code_of_both_platforms_has_both_meanings() {
    let both = explain(&["explain", "50002"], "").await.expect_code(0);
    let blocks: Vec<&str> = both.stdout.trim_end().split("\n\n").collect();
    assert_eq!(blocks.len(), 2, "{}", both.stdout);
    assert!(blocks[1].starts_with("wecom: 50002  member out of the application's scope"), "{}", both.stdout);
    let json = explain(&["--json", "explain", "50002"], "").await.expect_code(0).json();
    assert_eq!((json.len(), json[0]["platform"].as_str()), (1, Some("wechat")));
    assert_eq!(json[0]["also"]["platform"], "wecom");
    is_whole(&json[0]["also"]);
    for (args, platform) in [
        (&["explain", "--platform", "wechat", "50002"][..], "wechat"),
        (&["explain", "--platform", "wecom", "50002"], "wecom"),
        (&["explain", "message/send: errcode 50002: no privilege"], "wecom"),
        (&["explain", "user/info: errcode 50002: user limited"], "wechat"),
    ] {
        let json = explain(&[&["--json"], args].concat(), "").await.expect_code(0).json().remove(0);
        assert_eq!((json["platform"].as_str(), json.get("also")), (Some(platform), None), "{args:?}");
    }
}

#[tokio::test]
async fn what_is_done_follows_the_engine() {
    for (code, who, parts) in [
        ("-1", "nobody", &["pauses this API", "after 1 s", "every 32 s"][..]),
        ("40001", "operator", &["fetches a fresh token", "once", "all calls of the account", "ends with 77"]),
        ("40003", "operator", &["never repeats it", "ends with 1"]),
        ("40164", "administrator", &["all calls of the account", "every 60 s", "ends with 77"]),
        ("45047", "operator", &["8 times in all", "ends with 69"]),
        ("45065", "nobody", &["success", "exit 0"]),
        ("48001", "administrator", &["pauses this API", "every 60 s"]),
        ("89506", "administrator", &["every 24 h"]),
        ("41006", "developer", &["never repeats it"]),
    ] {
        let value = explain(&["--json", "explain", code], "").await.expect_code(0).json().remove(0);
        let does = value["does"]["en"].as_str().unwrap();
        assert!(parts.iter().all(|part| does.contains(part)), "{code}: {does}");
        assert_eq!(value["who"], who, "{value}");
    }
    let hour = explain(&["explain", "45009"], "").await.expect_code(0);
    assert!(hour.stdout.contains("00:00 +08:00"), "{}", hour.stdout);
}

#[tokio::test]
async fn what_is_in_no_table_is_said_to_be() {
    for (args, part) in [
        (&["explain", "99999"][..], "unknown to wxops"),
        (&["explain", "-40001"], "sample programs for decryption"),
        (&["explain", "err(20431)"], "nobody got it"),
        (&["explain", "errcode", "12345"], "unknown to wxops"),
        (&["explain", "exit", "5"], "another program"),
        (&["explain", "403"], "the HTTP status of a callback"),
    ] {
        let told = explain(args, "").await.expect_code(1);
        assert!(told.stdout.contains(part), "{args:?}: {}", told.stdout);
        assert!(told.stderr.contains("in no table of wxops; next: "), "{}", told.stderr);
        let chinese = explain(&[&["--lang", "zh"], args].concat(), "").await.expect_code(1);
        assert!(has_han(&chinese.stdout) && chinese.stderr.contains("不在 wxops 的列表中"), "{}", chinese.stderr);
        let json = explain(&[&["--json"], args].concat(), "").await.expect_code(1);
        assert_eq!(json.json()[0]["known"], false);
        let last: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(last["code"], 1);
    }
    let exit = explain(&["explain", "exit", "5"], "").await;
    assert!(exit.stderr.contains("look at the program that ended"), "no list of return codes: {}", exit.stderr);
    let known = explain(&["explain", "err(20013)"], "").await.expect_code(0);
    assert!(known.stdout.starts_with("err(20013)  copyright"), "{}", known.stdout);
}

#[tokio::test]
async fn exit_codes_are_told_apart_from_errcodes() {
    for code in ["1", "2", "3", "4", "69", "75", "77", "78", "130", "143"] {
        for args in [&["--json", "explain", code][..], &["--json", "explain", "exit", code]] {
            let told = explain(args, "").await.expect_code(0).json();
            assert_eq!((told.len(), &told[0]["kind"], told[0]["exit"].to_string().as_str()), (1, &"exit".into(), code));
            is_whole(&told[0]);
            assert!(told[0]["cause"]["en"].as_str().unwrap().contains("no errcode"));
        }
    }
    let both = explain(&["--json", "explain", "0"], "").await.expect_code(0);
    assert_eq!(names(&both), ["0", "exit 0"]);

    // What is said of the unit is what stands in it.
    let unit = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/wxops.service")).unwrap();
    let prevented = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).unwrap();
    for code in prevented.split(' ') {
        let told = explain(&["explain", "exit", code], "").await.expect_code(0);
        assert!(told.stdout.contains("systemd does not start serve again"), "{}", told.stdout);
    }
}

#[tokio::test]
async fn every_reason_and_cause_is_advised_as_in_the_log() {
    for reason in Reason::all() {
        let told = explain(&["--json", "explain", reason.as_str()], "").await.expect_code(0).json().remove(0);
        is_whole(&told);
        assert_eq!(
            (told["kind"].as_str(), told["mend"]["en"].as_str()),
            (Some("reason"), Some(reason.advice().mend.en.as_str()))
        );
        assert_eq!(told["status"].as_u64(), Some(reason.status().into()));
        if let Some(command) = told["command"].as_str() {
            exists(command).await;
        }
    }
    for cause in Cause::ALL {
        let told = explain(&["--json", "explain", cause.as_str()], "").await.expect_code(0).json().remove(0);
        is_whole(&told);
        assert_eq!(
            (told["kind"].as_str(), told["cause"]["en"].as_str()),
            (Some("cause"), Some(cause.advice().cause.en.as_str()))
        );
    }
}

/// As people copy it: with what stood around it, in capitals; and the rid beside a code can be asked for.
#[tokio::test]
async fn what_was_copied_with_it_does_no_harm() {
    for (what, name) in
        [("40164,", "40164"), ("(40164)", "40164"), ("SIGNATURE", "signature"), ("signal 9", "signal 9")]
    {
        assert_eq!(names(&explain(&["--json", "explain", what], "").await.expect_code(0)), [name], "{what}");
    }
    let line = "user/info: errcode 40003: invalid openid (rid 5f1e2d3c-4b5a6978-8796a5b4)";
    for (lang, next) in [("en", "; wxops explain 5f1e2d3c-"), ("zh", "；wxops explain 5f1e2d3c-")] {
        let told = explain(&["--lang", lang, "explain", line], "").await.expect_code(0);
        assert!(told.stdout.contains(next), "{}", told.stdout);
    }
    let of_rids = explain(&["explain", "openapi/rid/get: errcode 76001: x (rid 5f1e2d3c-4b5a6978-8796a5b4)"], "").await;
    assert!(of_rids.expect_code(0).stdout.contains("wxops explain RID"), "its own rid is not the one to ask for");
}

#[tokio::test]
async fn a_pasted_line_is_understood() {
    for (line, expected) in [
        (
            "error: user/info: errcode 40003: invalid openid (rid 5f1e2d3c-4b5a6978-8796a5b4): not a follower",
            &["40003"][..],
        ),
        (r#"{"type":"exit_error","code":77,"errcode":40164,"rid":null,"message":"m","next":"n"}"#, &["40164"]),
        (r#"{"type":"exit_error","code":69,"errcode":null,"message":"m"}"#, &["exit 69"]),
        (
            r#"{"timestamp":"t","level":"WARN","message":"callback refused: x","account":"main","reason":"no_key"}"#,
            &["no_key"],
        ),
        ("Nov 21 12:00:00 host wxops[7]: callback refused: x account=main reason=signature", &["signature"]),
        ("wxops.service: Main process exited, code=exited, status=78/CONFIG", &["exit 78"]),
        ("wxops.service: Main process exited, code=killed, status=9/KILL", &["signal 9"]),
        (
            "2026-11-21 WARN channel paused for 60 s account=main api=* error=\"stable_token: errcode 40125: invalid appsecret\"",
            &["40125"],
        ),
        ("error: the database failed: (code: 13) database or disk is full", &["database or disk is full"]),
        ("INFO URL check answered account=main", &["URL check answered"]),
        (
            "error: account main: no token is forced now (once a minute, 10 a day); next: wait",
            &["no token is forced now"],
        ),
        ("errcode 45009 then errcode=40001 and errcode 45009", &["45009", "40001"]),
    ] {
        for outcome in [explain(&["--json", "explain", line], "").await, explain(&["--json", "explain"], line).await] {
            assert_eq!(names(&outcome.expect_code(0)), expected, "{line}");
        }
        let words: Vec<&str> = line.split(' ').filter(|word| !word.starts_with('-')).collect();
        let unquoted = explain(&[&["--json", "explain"], &words[..]].concat(), "").await.expect_code(0);
        assert_eq!(names(&unquoted), expected, "{line}");
        let chinese = explain(&["--lang", "zh", "explain", "-"], line).await.expect_code(0);
        assert!(chinese.stdout.lines().filter(|l| l.starts_with("原因")).all(has_han), "{}", chinese.stdout);
    }
    let log = "reason=slow\n".repeat(1000) + "errcode 40164: invalid ip 203.0.113.7 ipv6 x, not in whitelist\n69\n";
    let told = explain(&["explain"], &log).await.expect_code(0);
    assert!(told.stdout.starts_with("slow  a callback was refused  (1000 times)\n"), "{}", told.stdout);
    assert!(told.stdout.contains("add 203.0.113.7 to the account's IP list"), "{}", told.stdout);
    assert!(!told.stdout.contains("exit 69"), "a number among other lines says nothing");
}

/// Errors that the program itself makes, piped back into it, in both languages.
#[tokio::test]
async fn its_own_errors_are_understood() {
    let Some(stage) = Stage::new(Db::Sqlite, "explain::own_errors").await else { return };
    let mut serve = stage.serve().await;
    let text = stage.write("text.db", &"no database ".repeat(100)).display().to_string();
    let config = std::fs::read_to_string(stage.config()).unwrap();
    let url = config.lines().next().unwrap().to_owned();
    let other = |to: &str| config.replace(&url, &format!("database_url = \"{to}\""));
    for (config, verb, name) in [
        (other("mysql://u:p@127.0.0.1:1/x"), &["db", "status"][..], "can't be reached"),
        (other(&format!("sqlite://{text}")), &["token", "show"], "is no SQLite database"),
        (config.replace("wx0123456789abcdef", "wx9999999999999999"), &["serve"], "another wxops serve"),
        (config.replace("secret = \"0", "secret = \"1"), &["token", "refresh"], "40125"),
    ] {
        for lang in ["en", "zh"] {
            for form in [&[][..], &["--json"]] {
                let args = [&["--lang", lang], form, verb].concat();
                let failed = verb_in(&stage, |_| config.clone(), &args, "").await;
                assert!(failed.code.is_some_and(|code| code >= 69), "{failed:?}");
                let told = explain(&["--json", "explain"], &failed.stderr).await.expect_code(0);
                assert!(names(&told)[0].starts_with(name), "{name}: {}\n{}", failed.stderr, told.stdout);
            }
        }
    }
    assert_eq!(serve.stop().await.0, Some(0));
}

/// The lines of `serve` in all three forms.
#[tokio::test]
async fn every_form_of_the_log_is_understood() {
    let Some(stage) = Stage::new(Db::Sqlite, "explain::forms").await else { return };
    for form in ["text", "json", "journald"] {
        let serve = stage.serve_with(&["--log-format", form]).await;
        let forged = signer::push(&stage.keys, Mode::Secure, "<xml></xml>").set("msg_signature", &"0".repeat(40));
        assert_eq!(serve.send(&forged).await.status, 403);
        let line = until("a refusal", async || {
            serve.log().lines().find(|line| line.contains("callback refused")).map(str::to_owned)
        })
        .await;
        let told = explain(&["--json", "explain", &line], "").await.expect_code(0);
        assert_eq!(names(&told), ["msg_signature"], "{line}");
    }
}

#[tokio::test]
async fn nothing_to_explain_says_what_is_understood() {
    for (args, stdin) in [
        (&["explain"][..], ""),
        (&["explain", "-"], "\n\n"),
        (&["explain", "weather"], ""),
        (&["explain", ""], ""),
        (&["explain", "5f1e2d3c-4b5a6978"], ""),
        (&["explain", "GET / status=403 bytes=40164"], ""),
    ] {
        let told = explain(args, stdin).await.expect_code(2);
        assert_eq!(told.stdout, "", "{args:?}");
        for form in ["errcode", "rid", "signature", "exit 69"] {
            assert!(told.stderr.contains(form), "{form}: {}", told.stderr);
        }
        let chinese = explain(&[&["--lang", "zh"], args].concat(), stdin).await.expect_code(2);
        assert!(chinese.stderr.contains("没有找到可以解释的内容"), "{}", chinese.stderr);
    }
}

/// A configuration that is wrong, or closed to us, is no reason to keep a code to itself.
#[tokio::test]
async fn it_needs_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wxops.toml"), "this is = no [ TOML").unwrap();
    let told = process::run(folder.path(), &["explain", "40164"], &[], "").await.expect_code(0);
    assert!(told.stdout.starts_with("40164  invalid ip"), "{}", told.stdout);
    let env = [("DATABASE_URL".to_owned(), "mysql://127.0.0.1:1/x".to_owned())];
    process::run(folder.path(), &["explain", "signature"], &env, "").await.expect_code(0);
    let rid = process::run(folder.path(), &["explain", "5f1e2d3c-4b5a6978-8796a5b4"], &[], "").await.expect_code(78);
    assert!(rid.stderr.contains("wxops.toml"), "only a rid needs it: {}", rid.stderr);
    explain(&["explain", "5f1e2d3c-4b5a6978-8796a5b4"], "").await.expect_code(78);
}

/// 10 MB on one line, bytes that are no text, sequences for a terminal: bounded and harmless.
#[tokio::test]
async fn hostile_input_is_harmless() {
    let noise: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let steering = b"\x1b]0;title\x07\x1b[2J reason=\x1b[31msignature errcode \x9b40164 rid \xe2\x80\xae5f\n";
    let nested = format!("{}errcode 40164", "{\"errcode\":".repeat(2_000));
    let late = [vec![b'x'; 10 * 1024 * 1024], b" errcode 40164".to_vec()].concat();
    for (what, stdin, codes) in [
        ("a line of 10 MB", late, [2, 2]),
        ("noise", noise, [2, 1]),
        ("steering", steering.to_vec(), [2, 0]),
        ("nested", nested.into_bytes(), [0, 0]),
        ("digits", vec![b'9'; 100_000], [2, 2]),
        ("errcodes", b"errcode 1 ".repeat(100_000), [1, 1]),
        ("zeros", vec![0; 1_000_000], [2, 2]),
    ] {
        let start = Instant::now();
        let (code, stdout, stderr) = raw(&stdin).await;
        assert!(code.is_some_and(|code| codes.contains(&code)), "{what}: {code:?} {stderr}");
        assert!(start.elapsed() < Duration::from_secs(5), "{what} took {:?}", start.elapsed());
        assert!(stdout.len() + stderr.len() < 100_000, "{what}");
        let harmless = |c: char| c == '\n' || !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c);
        assert!(stdout.chars().chain(stderr.chars()).all(harmless), "{what}: {stdout:?} {stderr:?}");
    }
    let told = explain(&["explain", "\u{1b}[2J\u{202e}errcode 40164\u{9b}"], "").await.expect_code(0);
    assert!(told.stdout.starts_with("40164  "), "{}", told.stdout);
}

/// Explains these bytes from stdin.
async fn raw(stdin: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wxops"))
        .arg("explain")
        .env_clear()
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(stdin).await.unwrap();
    drop(pipe);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8 comes out");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The first rid in a text.
fn rid_in(text: &str) -> String {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    words.filter(|word| word.len() == 26).find(|word| word.matches('-').count() == 2).expect("a rid").to_owned()
}

async fn a_rid_shows_its_request(stage: Stage) {
    let platform = Platform::of(&stage);
    // A wrong secret: the body that was sent holds it.
    let wrong = "1123456789abcdef0123456789abcdef";
    let failed = verb_in(&stage, |text| text.replace(&stage.keys.secret, wrong), &["token", "refresh"], "").await;
    let rid = rid_in(&failed.expect_code(77).stderr);

    let told = stage.verb(&["explain", &rid]).await.expect_code(0);
    for part in [
        &format!("rid {rid}"),
        "account   main",
        "took  ",
        "from      127.0.0.1",
        "\"secret\":\"***\"",
        "40125  invalid appsecret",
        "wxops token refresh",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    let chinese = stage.verb(&["--lang", "zh", "explain", "rid:", &rid]).await.expect_code(0);
    assert!(chinese.stdout.contains("请求体") && chinese.stdout.contains("AppSecret 错误"), "{}", chinese.stdout);
    let json = stage.verb(&["--json", "explain", &rid.to_uppercase()]).await.expect_code(0);
    let value = json.json().remove(0);
    assert_eq!((value["rid"].as_str(), value["explained"]["errcode"].as_i64()), (Some(rid.as_str()), Some(40125)));
    assert!(value["invoke_time"].as_str().unwrap().ends_with('Z') && value["cost_seconds"].is_number(), "{value}");

    // The query of another call holds the token; of it nothing is shown, of the person the openid is.
    let token = platform.other_token().await;
    let path = format!("/cgi-bin/user/info?access_token={token}&openid={OPENID}");
    let refused = crate::http::get(stage.sandbox(), &path).await.unwrap().text();
    let other = stage.verb(&["explain", &rid_in(&refused)]).await.expect_code(0);
    assert!(other.stdout.contains(&format!("access_token=***&openid={OPENID}")), "{}", other.stdout);
    for outcome in [&told, &chinese, &json, &other] {
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(![wrong, &stage.keys.secret, &token[..5]].iter().any(|secret| said.contains(secret)), "{said}");
    }

    let unknown = stage.verb(&["explain", "5f1e2d3c-4b5a6978-8796a5b4"]).await.expect_code(1);
    assert!(unknown.stderr.contains("76001") && unknown.stderr.contains("7 days"), "{}", unknown.stderr);
    platform.advance(8 * 24 * 3600).await;
    stage.verb(&["token", "clear"]).await.expect_code(0);
    let late = stage.verb(&["--json", "explain", &rid]).await.expect_code(1);
    let last: Value = serde_json::from_str(late.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((last["errcode"].as_i64(), last["code"].as_i64()), (Some(76004), Some(1)));
}

/// The platform tells a rid to the account alone whose call it was.
#[tokio::test]
async fn a_rid_of_another_account_is_refused() {
    let Some(mut stage) = Stage::new(Db::Sqlite, "explain::other_account").await else { return };
    let club = "[official.club]\napp_id = \"wxfedcba9876543210\"\nsecret = \"fedcba9876543210fedcba9876543210\"\n\
                original_id = \"gh_aaaaaaaaaaaa\"\ntoken = \"theClubsToken\"\nmode = \"plain\"\n";
    let accounts = std::fs::read_to_string(stage.folder().join("accounts.toml")).unwrap();
    stage.write("accounts.toml", &format!("{accounts}\n{club}"));
    Platform::restart(&mut stage, &[]).await;
    stage.account_settings = format!("default = true\n{club}api_base = \"http://{}\"\n", stage.sandbox());
    let wrong = |text: &str| text.replace("fedcba9876543210fedcba", "0edcba9876543210fedcba");
    let failed = verb_in(&stage, wrong, &["--account", "club", "token", "refresh"], "").await.expect_code(77);
    let rid = rid_in(&failed.stderr);
    let refused = stage.verb(&["explain", &rid]).await.expect_code(1);
    let next = format!("wxops --account club explain {rid}");
    assert!(refused.stderr.contains("76003") && refused.stderr.contains(&next), "{}", refused.stderr);
    stage.verb(&["--account", "club", "explain", &rid]).await.expect_code(0);
}
