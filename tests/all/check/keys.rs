//! Token, key, receive-id and mode: told apart from outside where that is possible, and said where it is not.

use super::fake::{Fake, Reply, Request};
use super::program::{Program, talkative};
use super::scene::{Scene, of};
use crate::signer::{Keys, Mode};

const OTHER_KEY: &str = "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w";
const OTHER_TOKEN: &str = "anotherToken456";

fn other_token() -> Keys {
    Keys { token: OTHER_TOKEN.into(), ..Keys::default() }
}

fn other_key() -> Keys {
    Keys { aes_key: OTHER_KEY.into(), ..Keys::default() }
}

fn other_app() -> Keys {
    Keys { app_id: "wxffffffffffffffff".into(), ..Keys::default() }
}

#[tokio::test]
async fn a_wrong_token_is_named_where_refusals_differ() {
    let scene = Scene::new();
    let server = Program { keys: other_token(), refusal: talkative, ..Program::default() }.start().await;
    scene.wrong(&server.url(), "url_check", "token", 1).await;
    assert!(server.seen().iter().all(|request| request.is_get()), "no push before the URL check");
}

#[tokio::test]
async fn a_wrong_token_looks_like_a_lost_query_where_refusals_do_not_differ() {
    let scene = Scene::new();
    let server = Program { keys: other_token(), ..Program::default() }.start().await;
    let finding = scene.wrong(&server.url(), "url_check", "token_or_query", 1).await;
    let next = finding["next"].as_str().unwrap();
    assert!(["reason=signature", "missing_parameter", "duplicate_parameter"].iter().all(|word| next.contains(word)));
}

#[tokio::test]
async fn a_lost_query_looks_the_same_even_where_refusals_differ() {
    let scene = Scene::new();
    let program = Program { refusal: talkative, ..Program::default() };
    let server = Fake::start(move |request| {
        let mut request = request.clone();
        request.query.clear();
        program.answer(&request)
    })
    .await;
    scene.wrong(&server.url(), "url_check", "token_or_query", 1).await;
}

#[tokio::test]
async fn the_old_token_is_recognised() {
    let mut scene = Scene::new();
    scene.account = format!("token_previous = \"{OTHER_TOKEN}\"\n");
    let server = Program { keys: other_token(), ..Program::default() }.start().await;
    scene.wrong(&server.url(), "url_check", "token_previous", 1).await;
}

#[tokio::test]
async fn another_accounts_url_is_recognised() {
    let mut scene = Scene::new();
    scene.account = "default = true\n".into();
    scene.tables = format!("[official.club]\napp_id = \"wxclub\"\ntoken = \"{OTHER_TOKEN}\"\n");
    let server = Program { keys: other_token(), ..Program::default() }.start().await;
    let finding = scene.wrong(&server.url(), "url_check", "other_account", 1).await;
    assert!(finding["message"].as_str().unwrap().contains("club"));
}

#[tokio::test]
async fn a_wrong_key_looks_like_a_wrong_receive_id_where_refusals_do_not_differ() {
    let scene = Scene::new();
    for keys in [other_key(), other_app()] {
        let server = Program { keys, ..Program::default() }.start().await;
        let finding = scene.wrong(&server.url(), "push", "aes_key_or_receive_id", 1).await;
        let next = finding["next"].as_str().unwrap();
        assert!(next.contains("reason=decrypt") && next.contains("appid"), "{next}");
    }
}

#[tokio::test]
async fn a_wrong_receive_id_is_named_where_refusals_differ() {
    let scene = Scene::new();
    let server = Program { keys: other_app(), refusal: talkative, ..Program::default() }.start().await;
    scene.wrong(&server.url(), "push", "receive_id", 1).await;
    let server = Program { keys: other_key(), refusal: talkative, ..Program::default() }.start().await;
    scene.wrong(&server.url(), "push", "aes_key_or_receive_id", 1).await;
}

#[tokio::test]
async fn the_old_key_is_recognised() {
    let mut scene = Scene::new();
    scene.account = format!("aes_key_previous = \"{OTHER_KEY}\"\n");
    for mode in [Mode::Secure, Mode::Compat] {
        scene.mode = mode;
        let server = Program { keys: other_key(), mode, ..Program::default() }.start().await;
        scene.wrong(&server.url(), "push", "aes_key_previous", 1).await;
    }
}

#[tokio::test]
async fn a_server_without_a_key_is_recognised() {
    let mut scene = Scene::new();
    for mode in [Mode::Secure, Mode::Compat] {
        scene.mode = mode;
        let server = Program { key: false, mode: Mode::Plain, ..Program::default() }.start().await;
        scene.wrong(&server.url(), "push", "no_key", 1).await;
    }
}

/// Many programs go by the query: what is not called encrypted is read as clear, whatever the console says.
fn by_the_query(secure: Program) -> impl Fn(&Request) -> Reply {
    let plain = Program { mode: Mode::Plain, ..secure.clone() };
    move |request| match request.parameter("encrypt_type") {
        Some(_) => secure.answer(request),
        None => plain.answer(request),
    }
}

#[tokio::test]
async fn a_server_that_takes_both_is_not_taken_for_one_without_a_key() {
    let scene = Scene::new();
    let says = Fake::start(by_the_query(Program { keys: other_app(), refusal: talkative, ..Program::default() })).await;
    scene.wrong(&says.url(), "push", "receive_id", 1).await;
    let says_nothing = Fake::start(by_the_query(Program { keys: other_key(), ..Program::default() })).await;
    let finding = scene.wrong(&says_nothing.url(), "push", "no_key", 1).await;
    assert!(finding["message"].as_str().unwrap().contains("another key or AppID"), "{finding}");
}

#[tokio::test]
async fn a_server_that_wants_encryption_is_recognised() {
    let scene = Scene::new();
    let server = Program::default().start().await;
    scene.wrong_with(&server.url(), &["--mode", "plain"], "push", "encrypts", 1).await;
    // Without a key of our own there is nothing to try it with.
    let mut keyless = Scene::new();
    keyless.mode = Mode::Plain;
    keyless.wrong(&server.url(), "push", "clear_refused", 1).await;
}

/// The GET is answered by something that checks nothing: neither its echo nor a refused push proves the Token.
#[tokio::test]
async fn a_reflector_proves_no_token() {
    let scene = Scene::new();
    let reflect = |program: Program| {
        move |request: &Request| match request.parameter("echostr") {
            Some(echostr) => Reply::text(200, echostr),
            None => program.answer(request),
        }
    };
    let right = Fake::start(reflect(Program::default())).await;
    scene.wrong(&right.url(), "forged_check", "reflector", 1).await;

    let wrong = Fake::start(reflect(Program { keys: other_token(), ..Program::default() })).await;
    let done = scene.check(&["--json", &wrong.url()]).await.expect_code(1);
    let checks = done.json()[0]["checks"].as_array().unwrap().clone();
    assert_eq!(of(&checks, "forged_check")["cause"], "reflector");
    assert_eq!(of(&checks, "push")["cause"], "token_or_aes_key");
}

#[tokio::test]
async fn a_forged_push_must_be_refused() {
    let scene = Scene::new();
    let program = Program::default();
    let server = Fake::start(move |request| match request.is_get() {
        true => program.answer(request),
        false => Reply::text(200, "success"),
    })
    .await;
    let finding = scene.wrong(&server.url(), "forged_push", "forged_push", 1).await;
    assert!(finding["next"].as_str().unwrap().contains("msg_signature"));
}

/// It works, and is worth a word.
#[tokio::test]
async fn a_clear_push_in_secure_mode_is_warned_of() {
    let scene = Scene::new();
    let server = Fake::start(by_the_query(Program::default())).await;
    let checks = scene.good(&server.url()).await;
    assert_eq!(
        (&of(&checks, "clear_push")["cause"], &of(&checks, "push")["verdict"]),
        (&"clear_push".into(), &"ok".into())
    );
}
