//! The words of errors, letter by letter, one of each kind and exit code in both languages.

use super::scene::{self, Scene, is_chinese, run};
use crate::platform::verb_in;
use crate::process::Outcome;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

/// What clap finds wrong: a line, what it says in English and in Chinese. All are exit 2.
const SLIPS: &[(&str, &str, &str)] = &[
    (
        "tokne refresh",
        "error: there is no command \"tokne\"; next: did you mean token? all are in wxops --help",
        "错误：没有 \"tokne\" 这个命令；下一步：是不是 token？全部见 wxops --help",
    ),
    (
        "refresh",
        "error: there is no command \"refresh\"; next: did you mean token refresh? all are in wxops --help",
        "错误：没有 \"refresh\" 这个命令；下一步：是不是 token refresh？全部见 wxops --help",
    ),
    (
        "events lst",
        "error: there is no command \"lst\"; next: did you mean list? all are in wxops events --help",
        "错误：没有 \"lst\" 这个命令；下一步：是不是 list？全部见 wxops events --help",
    ),
    (
        "events list --stat dead",
        "error: there is no flag --stat; next: did you mean --state? all are in wxops events list --help",
        "错误：没有 --stat 这个选项；下一步：是不是 --state？全部见 wxops events list --help",
    ),
    (
        "events list --nothing",
        "error: there is no flag --nothing; next: see wxops events list --help",
        "错误：没有 --nothing 这个选项；下一步：请看 wxops events list --help",
    ),
    (
        "events list --state deda",
        "error: --state <STATE> can't be \"deda\", only new, done, dead; next: did you mean dead? all are in wxops events list --help",
        "错误：--state <STATE> 不能是 \"deda\"，只能是 new、done、dead；下一步：是不是 dead？全部见 wxops events list --help",
    ),
    (
        "events list --state",
        "error: --state <STATE> lacks its value: new, done, dead; next: see wxops events list --help",
        "错误：--state <STATE> 缺少值：new、done、dead；下一步：请看 wxops events list --help",
    ),
    (
        "events list --limit 5 --limit 6",
        "error: --limit <N> is given twice; next: see wxops events list --help",
        "错误：--limit <N> 只能给一次；下一步：请看 wxops events list --help",
    ),
    (
        "events list --limit many",
        "error: --limit <N> can't be \"many\": not a whole number; next: see wxops events list --help",
        "错误：--limit <N> 不能是 \"many\"：不是整数；下一步：请看 wxops events list --help",
    ),
    (
        "events list --limit 99999999999999999999",
        "error: --limit <N> can't be \"99999999999999999999\": out of range; next: see wxops events list --help",
        "错误：--limit <N> 不能是 \"99999999999999999999\"：超出范围；下一步：请看 wxops events list --help",
    ),
    (
        "events list --since soon",
        "error: --since <TIME> can't be \"soon\": not a time; next: write 2h, 3d, 2026-11-01 or 2026-11-01T08:00:00+08:00",
        "错误：--since <TIME> 不能是 \"soon\"：不是时间；下一步：请写 2h、3d、2026-11-01 或 2026-11-01T08:00:00+08:00",
    ),
    (
        "events show",
        "error: <ID> is missing; next: write wxops events show <ID>",
        "错误：缺少 <ID>；下一步：请写 wxops events show <ID>",
    ),
    (
        "events show 1 2",
        "error: \"2\" is one argument too many; next: see wxops events show --help",
        "错误：多了一个参数 \"2\"；下一步：请看 wxops events show --help",
    ),
    (
        "events --no-input",
        "error: events lacks its verb: list, show, replay, tail, stats, purge, repair; next: see wxops events --help",
        "错误：events 之后缺少命令：list、show、replay、tail、stats、purge、repair；下一步：请看 wxops events --help",
    ),
    (
        "token show -q -v",
        "error: --quiet and --verbose exclude each other; next: see wxops token show --help",
        "错误：--quiet 与 --verbose 不能同时使用；下一步：请看 wxops token show --help",
    ),
    (
        "token show --timeout soon",
        "error: --timeout <TIME> can't be \"soon\": not a length of time; write a number and ms, s, m, h or d, such as 5m; next: see wxops token show --help",
        "错误：--timeout <TIME> 不能是 \"soon\"：不是时长；应为数字加 ms、s、m、h 或 d，例如 5m；下一步：请看 wxops token show --help",
    ),
    (
        "sandbox push text --set Content",
        "error: --set <KEY=VALUE> can't be \"Content\": it must be KEY=VALUE; next: see wxops sandbox push --help",
        "错误：--set <KEY=VALUE> 不能是 \"Content\"：应为 KEY=VALUE；下一步：请看 wxops sandbox push --help",
    ),
    (
        "man events lst",
        "error: there is no command \"lst\"; next: did you mean list? all are in wxops events --help",
        "错误：没有 \"lst\" 这个命令；下一步：是不是 list？全部见 wxops events --help",
    ),
];

/// What fails while it runs: a fault of the platform, the line, the exit code, the last line of stderr in both languages.
const FAILURES: &[(&str, &str, i32, &str, &str)] = &[
    (
        "",
        "events show 999",
        1,
        "error: there is no event 999; next: see wxops events list",
        "错误：没有编号为 999 的事件；下一步：请查看 wxops events list",
    ),
    (
        "",
        "followers show oNOBODY",
        1,
        "error: main has no person oNOBODY; next: see wxops followers list; openids differ in case",
        "错误：main 中没有 oNOBODY；下一步：请查看 wxops followers list；openid 区分大小写",
    ),
    (
        "",
        "token set",
        2,
        "error: stdin holds no access_token: one line of printable letters, at most 4 kB; next: wxops token set < FILE",
        "错误：标准输入中没有 access_token：应为一行可打印字符，不超过 4 kB；下一步：用法：wxops token set < 文件",
    ),
    (
        "",
        "token show --account nobody",
        2,
        "error: there is no account \"nobody\"; there is main",
        "错误：没有名为 \"nobody\" 的账号；现有 main",
    ),
    (
        "",
        "sandbox push text --to http://192.0.2.1/",
        2,
        "error: 192.0.2.1 is not this machine; next: add --yes if the pushes are meant to go there",
        "错误：192.0.2.1 不是本机；下一步：确认要推送到那里，请加 --yes",
    ),
    (
        "",
        "events replay 17 999",
        3,
        "error: 1 not replayed, unknown or erased because the person left: 999; next: see wxops events show ID",
        "错误：1 条未重放（不存在，或因用户取消关注已清除）：999；下一步：请查看 wxops events show 编号",
    ),
    (
        "",
        "token show",
        69,
        "error: the database 127.0.0.1:1 can't be reached: Connection refused (os error 111); next: start it, or mend DATABASE_URL",
        "错误：无法连接数据库 127.0.0.1:1：Connection refused (os error 111)；下一步：请启动数据库，或修改 DATABASE_URL",
    ),
    (
        "",
        "sandbox clock --sandbox http://127.0.0.1:1",
        69,
        "error: no sandbox is running at http://127.0.0.1:1; next: start one: wxops sandbox run --listen 127.0.0.1:1",
        "错误：http://127.0.0.1:1 没有运行中的沙箱；下一步：启动一个：wxops sandbox run --listen 127.0.0.1:1",
    ),
    (
        "slow=1",
        "--timeout 300ms token refresh",
        69,
        "error: --timeout is over; work done is kept; next: run it again to go on",
        "错误：已到 --timeout 的时限；已完成的工作已保留；下一步：再次运行即可继续",
    ),
    (
        "busy=1",
        "token refresh",
        69,
        "error: stable_token: errcode -1: system error (rid RID): busy; next: nothing: it passes; a call that sends something is repeated only with its clientmsgid",
        "错误：stable_token：errcode -1: system error（rid RID）：平台繁忙；下一步：无需处理，稍后自行恢复；群发类调用须带 clientmsgid 才可重试",
    ),
    (
        "quota=1",
        "token refresh",
        69,
        "error: stable_token: errcode 45009: reach max api daily quota limit (rid RID): the daily quota of the API is used up (some texts: of the minute); next: wait for midnight, Beijing time, or clear the quota (10 a month); it can go on at TIME +08:00",
        "错误：stable_token：errcode 45009: reach max api daily quota limit（rid RID）：该接口当日的调用次数已用完（部分文档指每分钟）；下一步：等到北京时间零点恢复，或清零调用次数（每月 10 次）；TIME +08:00 起可继续",
    ),
    (
        "",
        "serve",
        75,
        "error: another wxops serve works on this database (FOLDER/wxops.db.lock is locked); next: stop it first; several serve processes need MySQL or MariaDB",
        "错误：另一个 wxops serve 正在使用该数据库（FOLDER/wxops.db.lock 已锁定）；下一步：请先停止它；多进程运行需使用 MySQL 或 MariaDB",
    ),
    (
        "ip-not-listed=1",
        "token refresh",
        77,
        "error: stable_token: errcode 40164: invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist (rid RID): the calling address is not in the account's IP list; next: add 127.0.0.1 to the account's IP list (IP白名单) in the console; it works a few minutes later. If every call names another address, set `proxy` to a fixed exit; try again after TIME +08:00",
        "错误：stable_token：errcode 40164: invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist（rid RID）：调用方的 IP 不在该账号的 IP 白名单中；下一步：请在后台把 127.0.0.1 加入该账号的 IP 白名单，几分钟后生效。若每次报出的地址不同，请用 `proxy` 设置固定出口；请在 TIME +08:00 之后再试",
    ),
    (
        "admin-confirm=1",
        "token refresh",
        77,
        "error: stable_token: errcode 89503: the call need administrator confirm (rid RID): the administrator must confirm this address; next: the administrator has a message in WeChat: confirm it, or add the address to the IP list; try again after TIME +08:00",
        "错误：stable_token：errcode 89503: the call need administrator confirm（rid RID）：须由管理员确认本次调用的 IP；下一步：管理员微信会收到确认消息：请确认，或把该 IP 加入白名单；请在 TIME +08:00 之后再试",
    ),
    (
        "secret-frozen=1",
        "token refresh",
        77,
        "error: stable_token: errcode 40243: appsecret is frozen (rid RID): the secret is frozen in the console; next: unfreeze it in the console",
        "错误：stable_token：errcode 40243: appsecret is frozen（rid RID）：AppSecret 已在后台被冻结；下一步：请在后台解冻 AppSecret",
    ),
    (
        "",
        "token show",
        78,
        "error: lissten (line 1 of FOLDER/other.toml): unknown key; next: did you mean listen?",
        "错误：lissten（FOLDER/other.toml 第 1 行）：未知的配置项；下一步：是不是 listen？",
    ),
    ("", "kill INT", 130, "error: interrupted; work done is kept", "错误：已中断；已完成的工作已保留"),
    ("", "kill TERM", 143, "error: ended by SIGTERM; work done is kept", "错误：被 SIGTERM 终止；已完成的工作已保留"),
];

#[tokio::test]
async fn slips_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut golden = Golden::default();
    for (line, en, zh) in SLIPS {
        for (lang, words) in [("en", en), ("zh", zh)] {
            let shown = run(folder.path(), &format!("--lang {lang} {line}")).await;
            golden.hold(line, lang, 2, words, &shown, &|text| text.to_owned());
        }
    }
    golden.done();
}

/// What a verb says when it fails, one of each exit code at least.
#[tokio::test]
async fn failures_of_each_exit_code() {
    let Some(scene) = Scene::set("shell::errors").await else { return };
    let mut golden = Golden::default();
    for (faults, line, code, en, zh) in FAILURES {
        match *faults {
            "" => {}
            fault => {
                scene.stage.verb(&["token", "clear"]).await.expect_code(0);
                scene.faults(&[fault]).await;
            }
        }
        let change: fn(&str) -> String = match (*line, *code) {
            ("token show", 78) => scene::wrong,
            ("token show", 69) => scene::away,
            _ => str::to_owned,
        };
        for (lang, words) in [("en", en), ("zh", zh)] {
            // What the platform forbade in the one language is asked for in the other.
            scene.stage.execute("UPDATE access_token SET held_until = 0").await;
            let args: Vec<&str> = ["--lang", lang].into_iter().chain(line.split(' ')).collect();
            let shown = match line.strip_prefix("kill ") {
                Some(signal) => signalled(&scene, lang, signal).await,
                None => verb_in(&scene.stage, change, &args, "").await,
            };
            golden.hold(line, lang, *code, words, &shown, &|text| without_chance(&scene, text));
        }
        scene.faults(&[]).await;
        // A refresh that was cut off in the middle leaves its lease, which ends by itself.
        scene.stage.execute("UPDATE lease SET until = 0 WHERE name LIKE 'token:%'").await;
    }
    golden.done();
}

/// What was not as it is written down; all of it is told at once, as it would have to be written.
#[derive(Default)]
struct Golden {
    faults: Vec<String>,
}

impl Golden {
    fn hold(
        &mut self,
        line: &str,
        lang: &str,
        code: i32,
        words: &str,
        shown: &Outcome,
        plain: &dyn Fn(&str) -> String,
    ) {
        let last = plain(shown.stderr.lines().last().unwrap_or_default());
        // English may quote a word of the console.
        let in_lang = last.starts_with("error: ") == (lang == "en") && (lang == "en" || is_chinese(&last));
        if shown.code != Some(code) || last != words || !in_lang {
            self.faults.push(format!("{line} ({lang}, {:?} and not {code}): {last:?},", shown.code));
        }
    }

    #[track_caller]
    fn done(self) {
        assert!(self.faults.is_empty(), "\n{}", self.faults.join("\n"));
    }
}

/// The text without what differs from run to run.
fn without_chance(scene: &Scene, text: &str) -> String {
    let text = text.replace(scene.stage.folder().to_str().unwrap(), "FOLDER");
    let text = text.replace(&scene.stage.sandbox().to_string(), "PLATFORM");
    let hex = |text: &str| text.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect::<String>();
    let text = match text.split_once("rid ").map(|(_, rest)| hex(rest)) {
        Some(rid) => text.replace(&rid, "RID"),
        None => text,
    };
    match text.find(" +08:00") {
        Some(at) => text.replace(&text[at - "2026-11-21 08:00".len()..at], "TIME"),
        None => text,
    }
}

/// `token set` waits for its stdin and gets a signal.
async fn signalled(scene: &Scene, lang: &str, signal: &str) -> Outcome {
    let args = ["-v".to_owned(), "token".to_owned(), "set".to_owned()];
    let mut command = scene.command(&["--lang", lang], &args[1..], &[]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // Open to the end: the end of its stdin would end it too.
    let _stdin = child.stdin.take();
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
    scene.stage.verb(&["token", "clear"]).await.expect_code(0);
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
    scene.stage.verb(&["token", "clear"]).await.expect_code(0);
    let quiet = verb_in(&scene.stage, away, &["token", "refresh"], "").await.expect_code(69);
    assert!(!quiet.stderr.contains("because: "), "{}", quiet.stderr);
    for (lang, because) in [("en", "  because: "), ("zh", "  原因：")] {
        let shown = verb_in(&scene.stage, away, &["--lang", lang, "-v", "token", "refresh"], "").await.expect_code(69);
        assert!(shown.stderr.lines().any(|line| line.starts_with(because)), "{}", shown.stderr);
    }
    let logged = async |args: &[&str], env: &[(&str, &str)]| {
        scene.stage.verb(&["token", "clear"]).await.expect_code(0);
        let words = ["token".to_owned(), "refresh".to_owned()];
        let mut command = scene.command(args, &words, env);
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for line in logged(&["-vv", "--log-format", "json"], &[]).await.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(value["timestamp"].is_string() && value["level"].is_string(), "{line}");
    }
    let journald = logged(&["-vv", "--log-format", "journald"], &[]).await;
    assert!(!journald.is_empty() && journald.lines().all(|line| line.starts_with('<')), "{journald}");
    let silent = ("WXOPS_LOG", "error");
    assert_eq!(logged(&[], &[silent]).await, "");
    assert_eq!(logged(&["-q"], &[("WXOPS_LOG", "trace")]).await, "");
    for text in [logged(&[], &[]).await, logged(&["-v"], &[silent]).await, logged(&["-vv"], &[silent]).await] {
        assert!(!text.is_empty());
        let dated = |line: &str| chrono::DateTime::parse_from_rfc3339(line.split(' ').next().unwrap()).is_ok();
        assert!(text.lines().all(dated), "{text}");
    }
    let coloured = logged(&["-vv", "--color", "always"], &[]).await;
    assert!(coloured.contains('\u{1b}'), "{coloured}");
}
