//! Against our own `serve`: good in every mode, and each cause named exactly by what it counts.

use super::fake::{Fake, Reply};
use super::scene::{Scene, of};
use crate::messages::{OPENID, subscribe};
use crate::rows::Db;
use crate::signer::{Keys, Mode};
use crate::stage::{Serve, Stage};
use crate::stories::{LIMIT, stories, tell};

stories! {
    good_in_every_mode,
}

async fn good_in_every_mode(mut stage: Stage) {
    for mode in [Mode::Plain, Mode::Compat, Mode::Secure] {
        stage.mode = mode;
        let mut serve = stage.serve().await;
        assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
        let url = format!("http://{}/wechat/event", serve.address());
        let done = stage.verb(&["callback", "check", &url, "--json"]).await.expect_code(0);
        let checks = done.json()[0]["checks"].as_array().unwrap().clone();
        for name in ["connection", "url_check", "forged_check", "push", "forged_push"] {
            assert_eq!(of(&checks, name)["verdict"], "ok", "{mode:?} {checks:#?}");
        }
        stage.settled().await;
        let sent = stage.rows("SELECT kind, openid FROM inbox_event WHERE openid LIKE 'oWXOPS%' ORDER BY id").await;
        assert!(!sent.is_empty() && sent.iter().all(|row| row[0].as_deref() == Some("event.view")), "{sent:?}");
        serve.stop().await;
    }
    let followers = stage.rows("SELECT openid FROM user_mapping").await;
    assert_eq!(followers, [[Some(OPENID.to_owned())]], "no false follower");
}

/// A scene that reads the same as this `serve`, and hears what it counts.
fn beside(serve: &Serve, stage: &Stage) -> Scene {
    let mut scene = Scene::new();
    scene.top = format!("metrics_listen = \"{}\"\n", serve.metrics);
    scene.keys = stage.keys.clone();
    scene
}

/// Plays on SQLite: nothing here is about the database.
async fn with_serve(story: &str, settings: &str, play: impl AsyncFnOnce(Serve, Stage)) {
    let stage = async {
        let mut stage = Stage::new(Db::Sqlite, story).await?;
        stage.settings = settings.to_owned();
        Some(stage)
    };
    tell(stage, LIMIT, async |stage| play(stage.serve().await, stage).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_serve_counts_names_the_cause() {
    with_serve("check::what_serve_counts_names_the_cause", "", async |serve, stage| {
        let url = format!("http://{}/wechat/event", serve.address());
        let other = |change: fn(&mut Keys)| {
            let mut scene = beside(&serve, &stage);
            change(&mut scene.keys);
            scene
        };
        let token = other(|keys| keys.token = "anotherToken456".into());
        token.wrong(&url, "url_check", "token", 1).await;
        let key = other(|keys| keys.aes_key = "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w".into());
        key.wrong(&url, "push", "aes_key", 1).await;
        let app = other(|keys| keys.app_id = "wxffffffffffffffff".into());
        app.wrong(&url, "push", "receive_id", 1).await;
        let original = other(|keys| keys.original_id = "gh_ffffffffffff".into());
        original.wrong(&url, "push", "original_id", 1).await;
        let same = beside(&serve, &stage);
        same.wrong_with(&url, &["--mode", "plain"], "push", "encrypts", 1).await;
        let finding = same.wrong(&format!("{url}/"), "url_check", "path", 1).await;
        assert!(finding["message"].as_str().unwrap().contains("reason=unknown_account"), "{finding}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_eats_or_doubles_the_query() {
    with_serve("check::a_proxy_that_eats_or_doubles_the_query", "", async |serve, stage| {
        let (scene, to) = (beside(&serve, &stage), serve.address());
        let eats = Fake::start(move |request| Reply::Forward(to, request.path.clone())).await;
        scene.wrong(&eats.url(), "url_check", "query_lost", 1).await;
        let doubles = Fake::start(move |request| {
            Reply::Forward(to, format!("{}?{}&{}", request.path, request.query, request.query))
        })
        .await;
        scene.wrong(&doubles.url(), "url_check", "query_doubled", 1).await;
        // It eats that of a POST only, as a rewrite by method does.
        let posts = Fake::start(move |request| match request.is_get() {
            true => Reply::Forward(to, format!("{}?{}", request.path, request.query)),
            false => Reply::Forward(to, request.path.clone()),
        })
        .await;
        scene.wrong(&posts.url(), "push", "query_lost", 1).await;
        let good = Fake::start(move |request| Reply::Forward(to, format!("{}?{}", request.path, request.query))).await;
        scene.good(&good.url()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off() {
    with_serve("check::a_clock_that_is_off", "replay_window = \"5m\"\n", async |serve, stage| {
        let mut scene = beside(&serve, &stage);
        let clock = stage.write("offset", "-3600");
        scene.env.push(("WXOPS_CLOCK_FILE".into(), clock.display().to_string()));
        let url = format!("http://{}/wechat/event", serve.address());
        let finding = scene.wrong(&url, "url_check", "clock", 1).await;
        assert!(finding["next"].as_str().unwrap().contains("timedatectl"), "{finding}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_url_the_accounts_own() {
    with_serve("check::without_a_url_the_accounts_own", "", async |serve, stage| {
        let mut scene = beside(&serve, &stage);
        scene.top = format!("public_url = \"http://{}\"\n", serve.address());
        let done = scene.check(&["--json"]).await.expect_code(0);
        assert!(done.json()[0]["url"].as_str().unwrap().ends_with("/wechat/event"));

        // Of two accounts this `serve` knows one.
        scene.account = "default = true\n".into();
        scene.tables = "[official.club]\napp_id = \"wxclub\"\ntoken = \"clubToken1\"\n".into();
        let done = scene.check(&["--json", "--account", "all"]).await.expect_code(1);
        let urls: Vec<_> = done.json().iter().map(|line| line["url"].as_str().unwrap().to_owned()).collect();
        let base = format!("http://{}", serve.address());
        assert_eq!(urls, [format!("{base}/wechat/club/event"), format!("{base}/wechat/event")]);
        let verdicts: Vec<_> = done.json().iter().map(|line| line["verdict"].clone()).collect();
        assert_eq!(verdicts, ["failed", "ok"]);
        assert_eq!(of(done.json()[0]["checks"].as_array().unwrap(), "url_check")["cause"], "path");
    })
    .await;
}
