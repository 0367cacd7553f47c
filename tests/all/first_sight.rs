//! Refusals are explained at first sight: one line names cause and mend, once a minute; the answer tells nobody.
//! No SQL is in it, so that one database is enough.

use crate::http::{self, Answer};
use crate::messages::{OPENID, subscribe, text};
use crate::platform::ClockFile;
use crate::rows::Db;
use crate::signer::{self, Keys, Mode, Push, now, push, push_at};
use crate::stage::{Serve, Stage, until};
use wxops::wire::cause::Cause;

async fn stage(story: &str) -> Stage {
    Stage::new(Db::Sqlite, &format!("first_sight::{story}")).await.expect("SQLite is always there")
}

/// Refused with an empty body, whatever the cause.
async fn refuse(serve: &Serve, push: &Push) -> Answer {
    let answer = serve.send(push).await;
    assert_eq!((answer.status, answer.body.len()), (403, 0));
    answer
}

/// The lines that name this cause.
fn lines(serve: &Serve, cause: &str) -> Vec<String> {
    let told = format!("cause={cause}");
    let log = serve.log();
    log.lines().filter(|line| line.split(' ').any(|word| word == told)).map(str::to_owned).collect()
}

/// Waits for the one line of a cause, and asks what `explain` makes of it in both languages.
async fn told(stage: &Stage, serve: &Serve, cause: &str, parts: &[&str]) -> String {
    let line = until(cause, async || lines(serve, cause).pop()).await;
    for part in parts {
        assert!(line.contains(part), "{part} in {line}");
    }
    for (lang, words) in [("en", ["cause ", "who acts ", "mend "]), ("zh", ["原因", "谁处理", "处理"])] {
        let explained = stage.verb(&["--lang", lang, "explain", &line]).await.expect_code(0);
        assert!(explained.stdout.starts_with(cause), "{}", explained.stdout);
        assert!(words.iter().all(|word| explained.stdout.contains(word)), "{}", explained.stdout);
        assert_eq!(explained.stdout.lines().count(), 6, "the cause alone: {}", explained.stdout);
        assert_eq!(explained.stderr, "");
    }
    line
}

/// What is said to be once a minute is not said again for the next push.
async fn once(serve: &Serve, cause: &str, push: &Push) {
    for _ in 0..3 {
        serve.send(push).await;
    }
    let other = push.clone().without("nonce");
    refuse(serve, &other).await;
    until("the line behind them", async || serve.log().contains("reason=missing_parameter").then_some(())).await;
    assert_eq!(lines(serve, cause).len(), 1, "{}", serve.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_in_secure_mode_without_a_key() {
    for mode in [Mode::Secure, Mode::Compat] {
        let mut stage = stage("secure_console").await;
        stage.mode = Mode::Plain;
        let serve = stage.serve().await;
        let encrypted = push(&stage.keys, mode, &subscribe(OPENID));
        refuse(&serve, &encrypted).await;
        let parts = ["reason=no_key", "account=main", "安全模式", "set WECHAT_AES_KEY"];
        told(&stage, &serve, "console_encrypts", &parts).await;
        once(&serve, "console_encrypts", &encrypted).await;
        assert!(serve.log().contains("not_shown=3"), "{}", serve.log());
        assert!(!serve.log().contains(&stage.keys.token));
        assert_eq!(serve.refused("no_key").await, 4.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_in_plain_mode() {
    let stage = stage("plain_console").await;
    let serve = stage.serve().await;
    let clear = || push(&stage.keys, Mode::Plain, &subscribe(OPENID));
    refuse(&serve, &clear().with_body("")).await;
    refuse(&serve, &clear().with_body("<xml></xml>")).await;
    until("both", async || (serve.log().matches("reason=downgrade").count() == 2).then_some(())).await;
    assert_eq!(lines(&serve, "console_clear").len(), 0, "no console sends these: {}", serve.log());
    refuse(&serve, &clear()).await;
    told(&stage, &serve, "console_clear", &["reason=downgrade", "明文模式", "choose 安全模式"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clear_text_beside_encrypted_pushes_is_no_console() {
    let stage = stage("forged_clear").await;
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    refuse(&serve, &push(&stage.keys, Mode::Plain, &subscribe(OPENID))).await;
    until("its line", async || serve.log().contains("reason=downgrade").then_some(())).await;
    assert_eq!(lines(&serve, "console_clear").len(), 0, "{}", serve.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off() {
    for (shift, says) in [(725, "12 min 5 s ahead of"), (-7200, "120 min 0 s behind")] {
        let mut stage = stage("clock").await;
        ClockFile::of(&mut stage).advance(shift);
        let serve = stage.serve().await;
        for number in 1..=3 {
            assert_eq!(lines(&serve, "clock").len(), 0, "two prove nothing: {}", serve.log());
            assert_eq!(serve.push(&text(OPENID, "x", number)).await.status, 200);
        }
        // Whole seconds pass between the machine's clock and ours.
        let says = says.split(" s ").last().unwrap();
        let minutes = format!("{} min ", shift.abs() / 60);
        told(&stage, &serve, "clock", &["callback accepted", &minutes, says, "3 pushes agree", "timedatectl"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_with_a_window() {
    let mut stage = stage("clock_window").await;
    stage.settings = "replay_window = \"5m\"\n".into();
    ClockFile::of(&mut stage).advance(725);
    let serve = stage.serve().await;
    let push = || push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let first = push();
    // The same request again and again is one.
    for refused in [&first, &first, &first, &push(), &push()] {
        assert_eq!(lines(&serve, "clock").len(), 0, "{}", serve.log());
        refuse(&serve, refused).await;
    }
    told(&stage, &serve, "clock", &["reason=stale", "ahead of", "3 pushes agree"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_pushes_beside_timely_ones_are_no_clock() {
    let stage = stage("replays").await;
    let serve = stage.serve().await;
    for number in 1..=4 {
        assert_eq!(serve.push(&text(OPENID, "now", number)).await.status, 200);
        let old = push_at(&stage.keys, Mode::Secure, &text(OPENID, "old", 100 + number), now() - 3600);
        assert_eq!(serve.send(&old).await.status, 200);
    }
    until("a line", async || serve.log().contains("stale timestamp").then_some(())).await;
    assert_eq!(lines(&serve, "clock").len(), 0, "{}", serve.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_changed() {
    let stage = stage("token_changed").await;
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    let stranger =
        Keys { token: "x".into(), aes_key: "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w".into(), ..stage.keys.clone() };
    refuse(&serve, &push(&stranger, Mode::Secure, &subscribe(OPENID))).await;
    until("its line", async || serve.log().contains("reason=signature").then_some(())).await;
    assert!(!serve.log().contains("cause="), "of a stranger nothing is proven: {}", serve.log());
    let console = Keys { token: "theNewToken1".into(), ..stage.keys.clone() };
    refuse(&serve, &push(&console, Mode::Secure, &subscribe(OPENID))).await;
    told(&stage, &serve, "token_changed", &["reason=signature", "another Token", "WECHAT_TOKEN_PREVIOUS"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_another_token() {
    let mut stage = stage("token_differs").await;
    stage.mode = Mode::Plain;
    let serve = stage.serve().await;
    let console = Keys { token: "theNewToken1".into(), ..stage.keys.clone() };
    let click = signer::handshake(&console, "echo");
    for _ in 0..5 {
        assert_eq!((serve.get(&click).await.status, serve.get(&click).await.body.len()), (403, 0));
    }
    refuse(&serve, &push(&console, Mode::Plain, &subscribe(OPENID))).await;
    until("all", async || (serve.log().matches("reason=signature").count() >= 8).then_some(())).await;
    assert_eq!(lines(&serve, "token_differs").len(), 0, "two different ones: {}", serve.log());
    refuse(&serve, &push(&console, Mode::Plain, &subscribe(OPENID))).await;
    told(&stage, &serve, "token_differs", &["all 12 callbacks since the start", "compare WECHAT_TOKEN"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_with_the_previous_token_or_key() {
    let mut stage = stage("previous").await;
    let old = stage.keys.clone();
    stage.keys.token = "theNewToken1".into();
    stage.keys.aes_key = "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w".into();
    stage.account_settings = format!("token_previous = \"{}\"\naes_key_previous = \"{}\"\n", old.token, old.aes_key);
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    assert!(!serve.log().contains("cause="));
    assert_eq!(serve.send(&push(&old, Mode::Secure, &text(OPENID, "x", 1))).await.status, 200);
    let line = told(&stage, &serve, "previous_token", &["callback accepted", "enter the Token of WECHAT_TOKEN"]).await;
    assert!(!line.contains(&old.token));
    told(&stage, &serve, "previous_key", &["callback accepted", "enter the key of WECHAT_AES_KEY"]).await;
}

/// Two accounts; the club's console has the shop's URL, in several ways.
#[tokio::test(flavor = "multi_thread")]
async fn the_url_of_another_account() {
    let club = Keys {
        app_id: "wxfedcba9876543210".into(),
        original_id: "gh_aaaaaaaaaaaa".into(),
        token: "theClubsToken".into(),
        aes_key: "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w".into(),
        ..Keys::default()
    };
    let own = Keys::default();
    let mixed = [
        ("another Token", club.clone(), "reason=signature"),
        ("another key", Keys { token: own.token.clone(), ..club.clone() }, "reason=decrypt"),
        (
            "another AppID",
            Keys { aes_key: own.aes_key.clone(), token: own.token.clone(), ..club.clone() },
            "reason=appid",
        ),
    ];
    for (what, console, reason) in mixed {
        let mut stage = stage("other_account").await;
        let Keys { app_id, original_id, token, .. } = &club;
        let aes_key = &console.aes_key;
        stage.account_settings = format!(
            "default = true\n[official.club]\napp_id = \"{app_id}\"\noriginal_id = \"{original_id}\"\n\
             token = \"{token}\"\naes_key = \"{aes_key}\"\napi_base = \"http://{}\"\n",
            stage.sandbox()
        );
        let serve = stage.serve().await;
        refuse(&serve, &push(&console, Mode::Secure, &subscribe(OPENID))).await;
        let parts = [reason, "of account club", "/wechat/club/event"];
        let line = told(&stage, &serve, "other_account", &parts).await;
        assert!(line.contains("account=main"), "{what}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_appid_or_original_id() {
    let mut stage = stage("other_ids").await;
    let other = Keys { app_id: "wx9999999999999999".into(), ..stage.keys.clone() };
    let console = stage.keys.clone();
    stage.keys.original_id = "gh_bbbbbbbbbbbb".into();
    let serve = stage.serve().await;
    refuse(&serve, &push(&other, Mode::Secure, &subscribe(OPENID))).await;
    told(&stage, &serve, "other_appid", &["reason=appid", "AppID wx9999999999999999", "WECHAT_APP_ID"]).await;
    refuse(&serve, &push(&console, Mode::Secure, &subscribe(OPENID))).await;
    let parts = ["reason=foreign_account", "set WECHAT_ORIGINAL_ID to gh_0123456789ab"];
    told(&stage, &serve, "original_id", &parts).await;
}

/// Every refusal looks the same from outside, byte by byte.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_tells_nobody() {
    let stage = stage("no_oracle").await;
    let serve = stage.serve().await;
    let keys = &stage.keys;
    let message = subscribe(OPENID);
    let token = Keys { token: "theNewToken1".into(), ..keys.clone() };
    let app_id = Keys { app_id: "wx9999999999999999".into(), ..keys.clone() };
    let key = Keys { aes_key: "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w".into(), ..keys.clone() };
    let strange = Keys { token: "x".into(), ..key.clone() };
    let mut seen = Vec::new();
    for (keys, mode) in [
        (&token, Mode::Secure),
        (&strange, Mode::Secure),
        (&app_id, Mode::Secure),
        (&key, Mode::Secure),
        (keys, Mode::Plain),
        (&strange, Mode::Plain),
    ] {
        let push = push(keys, mode, &message);
        let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
        let answer = http::once(serve.address(), &request).await.unwrap();
        let headers: Vec<_> =
            answer.headers.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")).collect();
        seen.push((answer.status, headers, answer.body));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

/// The table of both READMEs has every cause, and no other.
#[test]
fn the_readmes_name_every_cause() {
    for page in ["README.md", "README.zh-CN.md"] {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let told: Vec<_> = text.split("| `cause=").skip(1).map(|rest| rest.split('`').next().unwrap()).collect();
        let known: Vec<_> = Cause::ALL.iter().map(Cause::as_str).collect();
        assert_eq!(told, known, "{page}");
    }
}
