//! Wrong command lines and configurations, what is printed where, and what never is.

use super::fake::{Fake, Reply};
use super::program::Program;
use super::scene::{Scene, is_chinese};
use crate::signer::Mode;

#[tokio::test]
async fn what_cannot_be_checked() {
    let scene = Scene::new();
    for (args, says) in [
        (&["wx.example.com/wechat/event"][..], "http://"),
        (&["ftp://wx.example.com/"], "http://"),
        (&["https://user:CANARY@wx.example.com/"], "no user"),
        (&["http://127.0.0.1:1/", "--mode", "sekure"], "secure"),
        (&["http://127.0.0.1:1/", "--account", "nobody"], "main"),
    ] {
        let done = scene.check(args).await.expect_code(2);
        assert!(done.stderr.contains(says) && !done.stderr.contains("CANARY"), "{args:?}: {}", done.stderr);
        assert!(done.stdout.is_empty(), "{args:?}");
    }
    let done = scene.check(&[]).await.expect_code(78);
    assert!(done.stderr.contains("WXOPS_PUBLIC_URL"), "{}", done.stderr);

    let mut two = Scene::new();
    two.account = "default = true\n".into();
    two.tables = "[official.club]\napp_id = \"wxclub\"\ntoken = \"clubToken1\"\n".into();
    let done = two.check(&["http://127.0.0.1:1/", "--account", "all"]).await.expect_code(2);
    assert!(done.stderr.contains("--account"), "{}", done.stderr);
}

#[tokio::test]
async fn what_is_missing_here_is_exit_78() {
    let mut scene = Scene::new();
    scene.mode = Mode::Plain;
    let done = scene.check(&["http://127.0.0.1:1/", "--mode", "secure"]).await.expect_code(78);
    assert!(done.stderr.contains("WECHAT_AES_KEY"), "{}", done.stderr);
    let mut receives_nothing = Scene::new();
    receives_nothing.tables = "[official.club]\napp_id = \"wxclub\"\napp_secret = \"s\"\n".into();
    let done = receives_nothing.check(&["http://127.0.0.1:1/", "--account", "club"]).await.expect_code(78);
    assert!(done.stderr.contains("Token"), "{}", done.stderr);
}

#[tokio::test]
async fn quiet_says_nothing_of_what_is_well() {
    let scene = Scene::new();
    let server = Program::default().start().await;
    let done = scene.check(&["-q", &server.url()]).await.expect_code(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    let wrong = Program { receipt: Reply::text(200, "oops"), ..Program::default() }.start().await;
    let done = scene.check(&["-q", &wrong.url()]).await.expect_code(1);
    assert_eq!((done.stdout.as_str(), done.stderr.lines().count()), ("", 1));
    assert!(done.stderr.contains("push: it answers \"oops\""), "{}", done.stderr);
}

#[tokio::test]
async fn a_table_for_people() {
    let scene = Scene::new();
    let server = Program::default().start().await;
    let url = server.url();
    let done = scene.check(&[&url]).await.expect_code(0);
    assert!(done.stdout.starts_with(&format!("{url}, account main, secure mode\n")), "{}", done.stdout);
    assert!(done.stdout.lines().any(|line| line.starts_with("ok       push          taken")), "{}", done.stdout);
    assert!(!done.stdout.contains('\u{1b}') && done.stderr.is_empty(), "{done:?}");
    let done = scene.check(&["--lang", "zh", &url]).await.expect_code(0);
    let words = |line: &&str| line.chars().any(is_chinese);
    assert!(done.stdout.lines().all(|line| words(&line)), "{}", done.stdout);
}

#[tokio::test]
async fn no_post_sends_none() {
    let scene = Scene::new();
    let server = Program::default().start().await;
    for flag in ["--no-post", "-n", "--dry-run"] {
        let done = scene.check(&["--json", flag, &server.url()]).await.expect_code(0);
        assert_eq!(done.json()[0]["checks"].as_array().unwrap().last().unwrap()["verdict"], "skipped");
    }
    assert!(server.seen().len() == 6 && server.seen().iter().all(|request| request.is_get()));
}

/// What the console has behind its URL stays, is sent along, and is not shown.
#[tokio::test]
async fn a_query_of_the_urls_own() {
    let scene = Scene::new();
    let server = Program::default().start().await;
    let done = scene.check(&[&format!("{}?shop=CANARY", server.url())]).await.expect_code(0);
    assert!(!done.stdout.contains("CANARY"), "{}", done.stdout);
    assert!(server.seen().iter().all(|request| request.query.starts_with("shop=CANARY&signature=")));
}

/// A server that quotes its settings and all it was sent, as frameworks do on their error pages.
#[tokio::test]
async fn nothing_secret_is_shown() {
    let mut scene = Scene::new();
    scene.keys.token = "CANARYtoken".into();
    scene.account = "token_previous = \"CANARYprevious\"\n".into();
    for get in [403, 200] {
        let program = Program { keys: scene.keys.clone(), ..Program::default() };
        let settings = format!("CANARYtoken CANARYprevious {}", scene.keys.aes_key);
        let server = Fake::start(move |request| match request.is_get() && get == 200 {
            true => program.answer(request),
            false => Reply::text(get, format!("no: {settings} {}", request.query)),
        })
        .await;
        for args in [&["-vv"][..], &["--json"], &["-vv", "--lang", "zh"]] {
            let done = scene.check(&[args, &[&server.url()]].concat()).await.expect_code(1);
            let said = done.stdout + &done.stderr;
            for request in server.seen() {
                for name in ["signature", "msg_signature"] {
                    let shown = request.parameter(name).is_some_and(|value| said.contains(value));
                    assert!(!shown, "{name}: {said}");
                }
            }
            assert!(!said.contains("CANARY") && !said.contains(&scene.keys.aes_key[..42]), "{said}");
        }
    }
}
