//! The words of errors, letter by letter, one of each kind and exit code in both languages.

use super::scene::{Scene, is_chinese, run};
use crate::platform::verb_in;
use crate::process::{self, Outcome};
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

/// What clap finds wrong: a line, what it says in English and in Chinese. All are exit 2.
const SLIPS: &[(&str, &str, &str)] = &[
    ("tokne refresh", "error: x", "错误：x"),
    ("refresh", "error: x", "错误：x"),
    ("events lst", "error: x", "错误：x"),
    ("events list --stat dead", "error: x", "错误：x"),
    ("events list --nothing", "error: x", "错误：x"),
    ("events list --state deda", "error: x", "错误：x"),
    ("events list --state", "error: x", "错误：x"),
    ("events list --limit 5 --limit 6", "error: x", "错误：x"),
    ("events list --limit many", "error: x", "错误：x"),
    ("events list --limit 99999999999999999999", "error: x", "错误：x"),
    ("events list --since soon", "error: x", "错误：x"),
    ("events show", "error: x", "错误：x"),
    ("events show 1 2", "error: x", "错误：x"),
    ("events --no-input", "error: x", "错误：x"),
    ("token show -q -v", "error: x", "错误：x"),
    ("token show --timeout soon", "error: x", "错误：x"),
    ("sandbox push text --set Content", "error: x", "错误：x"),
    ("man events lst", "error: x", "错误：x"),
];

#[tokio::test]
async fn slips_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    for (line, en, zh) in SLIPS {
        for (lang, words) in [("en", en), ("zh", zh)] {
            let shown = run(folder.path(), &format!("--lang {lang} {line}")).await.expect_code(2);
            assert_eq!(shown.stderr.trim_end(), *words, "{line}");
            assert_eq!(is_chinese(words), lang == "zh", "{words}");
        }
    }
}

/// What a verb says when it fails.
#[tokio::test]
async fn failures_of_each_exit_code() {
    let Some(scene) = Scene::set("shell::errors").await else { return };
    let golden = async |line: &str, code: i32, en: &str, zh: &str| {
        for (lang, words) in [("en", en), ("zh", zh)] {
            let config = scene.stage.config();
            let args: Vec<&str> = ["--config", &config, "--lang", lang].into_iter().chain(line.split(' ')).collect();
            let shown = process::run(scene.stage.folder(), &args, &[], "").await.expect_code(code);
            same(&scene, line, lang, &shown, words);
        }
    };
    golden("events show 999", 1, "error: x", "错误：x").await;
    golden("followers show oNOBODY", 1, "error: x", "错误：x").await;
    golden("token set", 2, "error: x", "错误：x").await;
    golden("token show --account nobody", 2, "error: x", "错误：x").await;
    golden("sandbox push text --to http://192.0.2.1/", 2, "error: x", "错误：x").await;
    golden("events replay 17 999", 3, "error: x", "错误：x").await;
    golden("serve", 75, "error: x", "错误：x").await;
    golden("sandbox clock --sandbox http://127.0.0.1:1", 69, "error: x", "错误：x").await;
    scene.faults(&["slow=1"]).await;
    golden("--timeout 200ms token refresh", 69, "error: x", "错误：x").await;
    scene.faults(&["ip-not-listed=1"]).await;
    golden("token refresh", 77, "error: x", "错误：x").await;
    scene.faults(&["busy=1"]).await;
    golden("token refresh", 69, "error: x", "错误：x").await;
    scene.faults(&[]).await;

    let broken = async |change: &dyn Fn(&str) -> String, line: &str, code: i32, en: &str, zh: &str| {
        for (lang, words) in [("en", en), ("zh", zh)] {
            let args: Vec<&str> = ["--lang", lang].into_iter().chain(line.split(' ')).collect();
            let shown = verb_in(&scene.stage, change, &args, "").await.expect_code(code);
            same(&scene, line, lang, &shown, words);
        }
    };
    broken(&|text| format!("lissten = \"x\"\n{text}"), "token show", 78, "error: x", "错误：x").await;
    let away = |text: &str| {
        text.lines()
            .map(|l| if l.starts_with("database_url") { "database_url = \"mysql://u@127.0.0.1:1/x\"" } else { l })
            .collect::<Vec<_>>()
            .join("\n")
    };
    broken(&away, "token show", 69, "error: x", "错误：x").await;

    for (signal, code, en, zh) in [
        ("INT", 130, "error: interrupted; work done is kept", "错误：已中断；已完成的工作已保留"),
        ("TERM", 143, "error: ended by SIGTERM; work done is kept", "错误：被 SIGTERM 终止；已完成的工作已保留"),
    ] {
        for (lang, words) in [("en", en), ("zh", zh)] {
            let shown = signalled(&scene, lang, signal).await.expect_code(code);
            same(&scene, signal, lang, &shown, words);
        }
    }
}

/// The last line, without what differs from run to run.
#[track_caller]
fn same(scene: &Scene, line: &str, lang: &str, shown: &Outcome, words: &str) {
    let last = shown.stderr.lines().last().unwrap_or_default();
    let last = last.replace(scene.stage.folder().to_str().unwrap(), "FOLDER");
    let last = last.replace(&scene.stage.sandbox().to_string(), "PLATFORM");
    let rid = last
        .find("rid ")
        .map(|at| last[at + 4..].chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect::<String>());
    let last = rid.map_or(last.clone(), |rid| last.replace(&rid, "RID"));
    assert_eq!(last, words, "{line}");
    assert_eq!(is_chinese(&last), lang == "zh", "{last}");
}

/// `token set` waits for its stdin and gets a signal.
async fn signalled(scene: &Scene, lang: &str, signal: &str) -> Outcome {
    let args = ["-v".to_owned(), "token".to_owned(), "set".to_owned()];
    let mut command = scene.command(&["--lang", lang], &args[1..], &[]);
    let child = command.stdin(Stdio::piped()).spawn().unwrap();
    let pid = child.id().unwrap().to_string();
    // It listens to signals once it blocks in its read of stdin.
    crate::stage::until("it to read stdin", async || {
        let call = std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let reading = threads.flatten().any(|thread| {
            std::fs::read_to_string(thread.path().join("syscall")).is_ok_and(|call| call.starts_with("0 0x0 "))
        });
        (reading || call.contains("pipe_read")).then_some(())
    })
    .await;
    assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A code that no table has is shown as it came, with its words and its request id.
#[tokio::test]
async fn an_errcode_that_nobody_knows_is_shown_raw() {
    let Some(scene) = Scene::set("shell::raw").await else { return };
    let platform = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = platform.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let body = r#"{"errcode":61999,"errmsg":"the moon is wrong rid: 5f1e0001-0a0b0c0d-1e2f3a4b"}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        while let Ok((mut connection, _)) = platform.accept().await {
            let mut bytes = [0; 8192];
            let _ = connection.read(&mut bytes).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    let there = |text: &str| text.replace(&scene.stage.sandbox().to_string(), &address);
    for (lang, what) in [("en", "this errcode is in no table"), ("zh", "该 errcode 不在已知列表中")] {
        let shown = verb_in(&scene.stage, there, &["--lang", lang, "token", "refresh"], "").await.expect_code(1);
        for words in ["errcode 61999", "the moon is wrong", "5f1e0001-0a0b0c0d-1e2f3a4b", what] {
            assert!(shown.stderr.contains(words), "{words}: {}", shown.stderr);
        }
    }
    let json = verb_in(&scene.stage, there, &["--json", "token", "refresh"], "").await.expect_code(1);
    let last: serde_json::Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((last["errcode"].as_i64(), last["rid"].as_str()), (Some(61999), Some("5f1e0001-0a0b0c0d-1e2f3a4b")));
}

/// -v shows the causes; logs are a line each, in the form that was asked for.
#[tokio::test]
async fn logs_and_causes() {
    let Some(scene) = Scene::set("shell::logs").await else { return };
    let away = |text: &str| text.replace(&scene.stage.sandbox().to_string(), "127.0.0.1:1");
    let quiet = verb_in(&scene.stage, away, &["token", "refresh"], "").await.expect_code(69);
    assert!(!quiet.stderr.contains("because: "), "{}", quiet.stderr);
    for (lang, because) in [("en", "  because: "), ("zh", "  原因：")] {
        let shown = verb_in(&scene.stage, away, &["--lang", lang, "-v", "token", "refresh"], "").await.expect_code(69);
        assert!(shown.stderr.lines().any(|line| line.starts_with(because)), "{}", shown.stderr);
    }
    let logged = async |args: &[&str], env: &[(&str, &str)]| {
        let words = ["token".to_owned(), "refresh".to_owned(), "--force".to_owned()];
        let mut command = scene.command(args, &words, env);
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    for line in logged(&["-vv", "--log-format", "json"], &[]).await.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(value["timestamp"].is_string() && value["level"].is_string(), "{line}");
    }
    let journald = logged(&["-vv", "--log-format", "journald"], &[]).await;
    assert!(!journald.is_empty() && journald.lines().all(|line| line.starts_with('<')), "{journald}");
    for text in [logged(&["-vv"], &[]).await, logged(&[], &[("WXOPS_LOG", "trace")]).await] {
        assert!(text.lines().count() > 1, "{text}");
        let dated = |line: &str| chrono::DateTime::parse_from_rfc3339(line.split(' ').next().unwrap()).is_ok();
        assert!(text.lines().all(dated), "{text}");
    }
    let coloured = logged(&["-vv", "--color", "always"], &[]).await;
    assert!(coloured.contains('\u{1b}'), "{coloured}");
}
