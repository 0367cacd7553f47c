//! A platform that quotes every secret it can know, in every place of an answer.

use super::scene::{Act, FORMS, Scene, every_verb};
use crate::check::fake::{Fake, Reply, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;

/// The access_token that it hands out: with everything that a URL or JSON writes in another way.
pub const ACCESS_TOKEN: &str = "77_cAnArY+oF/tHe=PLatfOrM&eVeRy&LetTer\"cOunts\\x-_.~|%2F97531";

/// How it answers: `token` at once, `then` only behind a good token.
pub const TOKEN: &[&str] = &[
    "40125", "40001", "40164", "45009", "-1", "89503", "42001", "123456", "rid", "hint", "html", "502", "404", "cut",
    "array", "words", "redirect", "reset", "head", "chunk", "expiry", "blank", "long",
];
pub const THEN: &[&str] =
    &["then-40001", "then-40003", "then-48001", "then-123456", "then-html", "then-reset", "then-cut", "then-redirect"];

/// A platform whose way of answering is the first part of the path: `http://ADDRESS/40125/…`.
pub async fn platform(known: &[String]) -> Fake {
    let known = [quoted(known), quoted(&[known, &[ACCESS_TOKEN.to_owned()]].concat())];
    Fake::start(move |request| answer(request, &known)).await
}

fn quoted(known: &[String]) -> String {
    let forms = |text: &String| [text.clone(), percent(text, true), percent(text, false), STANDARD.encode(text)];
    known.iter().flat_map(forms).collect::<Vec<_>>().join(" ")
}

pub fn percent(text: &str, upper: bool) -> String {
    let encoded = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).into() } else { encoded(b) }).collect()
}

/// Before it gave a token out it knows none.
fn answer(request: &Request, [before, known]: &[String; 2]) -> Reply {
    let mode = request.path.split('/').nth(1).unwrap_or_default();
    let body = String::from_utf8_lossy(&request.body);
    let said = |known: &str| format!("you sent ?{} and {body}; {known}", request.query);
    match mode.strip_prefix("then-") {
        Some(_) if request.path.contains("token") => token(ACCESS_TOKEN, "7200"),
        Some(mode) => refusal(mode, &said(known)),
        None => refusal(mode, &said(before)),
    }
}

fn refusal(mode: &str, quoted: &str) -> Reply {
    let says = |errmsg: String| json(&serde_json::json!({ "errcode": 40125, "errmsg": errmsg }));
    // The first of what is quoted without a blank.
    let word = quoted.rsplit(' ').next().unwrap_or_default();
    match mode {
        "rid" => says(format!("invalid appsecret rid: {}", &super::canary::hex("WECHAT_APP_SECRET"))),
        "hint" => says(format!("invalid appsecret hint: [{}]", super::canary::hex("WECHAT_APP_SECRET"))),
        "html" => Reply::text(200, format!("<html><title>{quoted}</title>")),
        "502" => Reply::text(502, format!("<html>{quoted}")),
        "404" => json(&serde_json::json!({ "message": quoted })),
        "cut" => Reply::text(200, format!("{{\"errcode\":0,\"access_token\":\"{word}")),
        "array" => Reply::text(200, format!("[\"{word}\"]")),
        "words" => Reply::text(200, quoted),
        "redirect" => Reply::Answer(302, vec![("Location", format!("https://{word}.example/?secret={word}"))], vec![]),
        "reset" => Reply::Cut,
        "head" => Reply::Raw(format!("HTTP/1.1 {quoted}\r\n{quoted}\r\n\r\n").into()),
        "chunk" => Reply::Raw(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{quoted}\r\n").into()),
        "expiry" => token(ACCESS_TOKEN, quoted),
        "blank" => token(quoted, "7200"),
        "long" => token(&quoted.repeat(40).replace(' ', ""), "7200"),
        code => json(&serde_json::json!({
            "errcode": code.parse::<i64>().unwrap_or(-1),
            "errmsg": format!("invalid ip {word} {quoted}, not in whitelist rid: {word}"),
        })),
    }
}

fn token(text: &str, expires_in: &str) -> Reply {
    json(&serde_json::json!({ "access_token": text, "expires_in": expires_in }))
}

fn json(value: &serde_json::Value) -> Reply {
    Reply::text(200, value.to_string())
}

/// A scene whose canaries the platform knows.
pub async fn scene() -> (Scene, Fake) {
    let mut scene = Scene::new();
    let known: Vec<_> = ["WECHAT_APP_SECRET", "WECHAT_TOKEN", "WECHAT_AES_KEY", "WECHAT_AES_KEY_PREVIOUS"]
        .map(|name| scene.canaries.value(name).to_owned())
        .into();
    scene.canaries.add("access_token", ACCESS_TOKEN);
    let platform = platform(&known).await;
    (scene, platform)
}

/// Every verb meets it; those that call it meet all that it can do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_quotes_what_it_knows() {
    let (scene, platform) = scene().await;
    let first = scene.write("first.toml", scene.toml("http://127.0.0.1:1"));
    scene.keep_quiet(vec![Act::new("the schema", &["--config", &first, "db", "migrate"])]).await;
    let verbs = every_verb(scene.folder.path()).await;
    let act = |number: usize, mode: &str| {
        let path = format!("http://{}/{mode}/{number}", platform.address);
        let config = scene.write(&format!("{mode}-{number}.toml"), scene.toml(&path));
        let mut act = Act::new(mode, &["--config", &config]);
        let callback = format!("{path}/wechat/event");
        act.args.extend(verbs[number].iter().map(|word| word.replace("http://127.0.0.1:1/wechat/event", &callback)));
        act.stdin = ACCESS_TOKEN.into();
        act
    };
    let numbers = 0..verbs.len();
    let met = numbers.clone().flat_map(|number| act(number, "40125").in_forms(&FORMS));
    let clear = Act::new("no token", &["--config", &first, "token", "clear"]);
    scene.keep_quiet(met.collect()).await;
    scene.keep_quiet(vec![clear]).await;
    let met = numbers.flat_map(|number| act(number, "then-40003").in_forms(&FORMS[1..]));
    scene.keep_quiet(met.collect()).await;
    let callers: BTreeSet<usize> =
        platform.seen().iter().filter(|request| request.path.contains("/cgi-bin/")).map(number_of).collect();
    assert!(!callers.is_empty(), "somebody calls the platform");

    let modes = TOKEN.iter().chain(THEN);
    let acts = modes.flat_map(|mode| callers.iter().map(|number| (*mode, *number)).collect::<Vec<_>>());
    let acts = acts.enumerate().flat_map(|(turn, (mode, number))| {
        // Each way of answering in two forms, by turns.
        let mut act = act(number, mode);
        act.args.extend(verbs[number].starts_with(&["token".into(), "refresh".into()]).then(|| "--force".into()));
        act.in_forms(&[FORMS[turn % 2], FORMS[2]])
    });
    let ended = scene.keep_quiet(acts.collect()).await;
    let failed = ended.iter().filter(|(_, outcome)| outcome.code != Some(0)).count();
    assert!(failed > TOKEN.len(), "{failed} failed");
}

fn number_of(request: &Request) -> usize {
    request.path.split('/').nth(2).and_then(|number| number.parse().ok()).expect("our own base URL")
}
