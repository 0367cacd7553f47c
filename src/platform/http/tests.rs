#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::{Kind, Lang, Then};
use crate::platform::testing::{Keeper, SECRET, Server, Step, TOKEN, account, client, impatient, ok};
use std::io::Write;
use std::sync::atomic::Ordering;

const NEWEST: &str =
    r#"{"errcode":40001,"errmsg":"invalid credential, access_token is invalid or not latest rid: 5f1e-4b5a"}"#;

fn info() -> Request {
    Request::get("user/info").with("openid", "oTEST")
}

/// Calls a server with this script and gives what came of it and the server.
async fn play(steps: impl IntoIterator<Item = Step>) -> (Result<Answer>, Server, Keeper) {
    let (server, keeper) = (Server::start(steps).await, Keeper::default());
    let outcome = client().call(&server.account(), &keeper, &info()).await;
    (outcome, server, keeper)
}

/// Everything that an error shows to anyone, in both languages.
fn shown(e: &Error) -> String {
    let next = e.next.as_ref().map(|next| (next.in_lang(Lang::En), next.in_lang(Lang::Zh)));
    format!("{e}|{e:?}|{e:#?}|{}|{}|{next:?}|{:?}", e.what.en, e.what.zh, e.causes())
}

fn assert_clean(text: &str) {
    assert!(!text.contains("CANARY"), "a secret in: {text}");
    assert!(!text.contains("access_token="), "a URL in: {text}");
}

fn network(e: &Error) -> bool {
    e.kind == Kind::Unavailable && matches!(e.then, Then::Pause { whole_account: true, .. }) && e.errcode.is_none()
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_repeated_once() {
    let (answer, server, keeper) = play([ok(NEWEST), ok(r#"{"subscribe":1}"#)]).await;
    assert_eq!(answer.unwrap().number("subscribe"), Some(1));
    assert_eq!(keeper.generation.load(Ordering::SeqCst), 1);
    let used: Vec<_> = server.seen().iter().map(|seen| seen.query[0].clone()).collect();
    let token = |n| ("access_token".to_owned(), format!("{TOKEN}{n}"));
    assert_eq!(used, [token(0), token(1)]);
}

#[tokio::test]
async fn a_token_refused_twice_names_the_rival_and_asks_no_third_time() {
    let (answer, server, keeper) = play([ok(NEWEST), ok(NEWEST)]).await;
    let e = answer.unwrap_err();
    assert_eq!((e.kind, e.errcode, e.rid.as_deref()), (Kind::Refused, Some(40001), Some("5f1e-4b5a")));
    assert!(e.next.as_ref().unwrap().en.contains("another program refreshes the token"), "{:?}", e.next);
    assert_eq!((server.seen().len(), keeper.generation.load(Ordering::SeqCst)), (2, 1));
    assert_clean(&shown(&e));
}

#[tokio::test]
async fn other_refusals_are_not_repeated() {
    let (answer, server, _) = play([ok(r#"{"errcode":40003,"errmsg":"invalid openid rid: 5f1e"}"#)]).await;
    let e = answer.unwrap_err();
    assert_eq!((e.kind, e.then, server.seen().len()), (Kind::Failed, Then::Never, 1));
    assert_eq!(
        e.what.zh,
        "user/info：errcode 40003: invalid openid（rid 5f1e）：该 openid 不是本账号的粉丝，或属于其他账号"
    );
}

#[tokio::test]
async fn done_before_is_success() {
    let (answer, ..) = play([ok(r#"{"errcode":45065,"errmsg":"clientmsgid exist","msg_id":7}"#)]).await;
    assert_eq!(answer.unwrap().number("msg_id"), Some(7));
}

#[tokio::test]
async fn a_foreign_address_is_printed() {
    let body =
        r#"{"errcode":40164,"errmsg":"invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 5f1e"}"#;
    let (answer, ..) = play([ok(body)]).await;
    let e = answer.unwrap_err();
    assert_eq!(e.kind, Kind::Refused);
    assert!(e.next.unwrap().en.contains("add 203.0.113.7 to"));
}

#[tokio::test]
async fn html_and_http_500_are_no_word_of_the_platform() {
    for (status, body, says) in [
        (200, "<html>Login</html>", "answered with HTML instead of JSON (HTTP 200); a proxy or captive portal?"),
        (500, "<html>oops</html>", "answered with HTTP 500"),
        (302, "", "answered with a redirect (HTTP 302)"),
    ] {
        let (answer, server, _) = play([Step::Reply(status, body.to_owned())]).await;
        let e = answer.unwrap_err();
        assert!(e.what.en.contains(says) && network(&e), "{e:?}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_reply_beyond_the_limit_is_not_kept() {
    let (answer, ..) = play([ok(&format!(r#"{{"x":"{}"}}"#, "x".repeat(2000)))]).await;
    assert_eq!(answer.unwrap_err().what.en, "user/info: the answer is larger than 1024 bytes");
}

#[tokio::test]
async fn silence_ends_at_the_limit_of_the_call() {
    let began = Instant::now();
    let server = Server::start([Step::Hang]).await;
    let client = impatient(Duration::from_secs(2), Duration::from_millis(300));
    let e = client.call(&server.account(), &Keeper::default(), &info()).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(e.what.en.contains("no answer from 127.0.0.1 within 0.3 s; the request was sent"), "{}", e.what.en);
    assert!(network(&e) && server.seen().len() == 1, "{e:?}");
    assert_clean(&shown(&e));
}

#[tokio::test]
async fn a_reset_says_that_the_request_was_sent() {
    for step in [Step::Cut, Step::Reset] {
        let (answer, server, _) = play([step]).await;
        let e = answer.unwrap_err();
        assert!(e.what.en.contains("broke: ") && e.what.en.ends_with("was sent, its outcome is not known"), "{e:?}");
        assert!(network(&e) && server.seen().len() == 1, "{e:?}");
        assert_clean(&shown(&e));
    }
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_say_that_nothing_was_sent() {
    // Port 9 of loopback is closed here; `.invalid` never resolves (RFC 2606); this server never answers a TLS hello.
    let client = impatient(Duration::from_millis(300), Duration::from_secs(5));
    let silent = Server::start([Step::Reset]).await;
    let no_tls = silent.base.replace("http://", "https://");
    for base in ["http://127.0.0.1:9", "http://wxops.invalid", no_tls.as_str()] {
        let account = Access { api_base: base.to_owned(), ..account() };
        let e = client.call(&account, &Keeper::default(), &info()).await.unwrap_err();
        assert!(e.what.en.contains("no connection to ") && e.what.en.ends_with("the request was not sent"), "{e:?}");
        assert!(network(&e) && !e.causes().is_empty(), "{e:?}");
        assert_clean(&shown(&e));
    }
}

#[tokio::test]
async fn a_proxy_is_used_and_a_wrong_one_is_a_setting() {
    let proxy = Server::start([ok(r#"{"subscribe":0}"#)]).await;
    let through = Access {
        api_base: "http://wxops.invalid".to_owned(),
        proxy: Some(Secret::new(proxy.base.clone())),
        ..account()
    };
    client().call(&through, &Keeper::default(), &info()).await.unwrap();
    assert!(proxy.seen()[0].headers.contains("host: wxops.invalid"), "{:?}", proxy.seen());

    let wrong = Access { proxy: Some(Secret::new("http://user:CANARY@[")), ..account() };
    let e = client().call(&wrong, &Keeper::default(), &info()).await.unwrap_err();
    assert_eq!((e.kind, e.then), (Kind::Config, MISCONFIGURED));
    assert_clean(&shown(&e));

    let no_base = Access { api_base: "api.weixin.qq.com".to_owned(), ..account() };
    let e = client().call(&no_base, &Keeper::default(), &info()).await.unwrap_err();
    assert_eq!((e.kind, e.then), (Kind::Config, MISCONFIGURED));
}

#[tokio::test]
async fn what_leaves_is_utf8_json_with_our_name() {
    let server = Server::start([ok("{}")]).await;
    let body = serde_json::json!({"remark": "老客户"});
    let request = Request::post("user/info/updateremark", &body).unwrap();
    client().call(&server.account(), &Keeper::default(), &request).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/cgi-bin/user/info/updateremark"));
    assert_eq!(String::from_utf8_lossy(&seen.body), r#"{"remark":"老客户"}"#);
    assert!(seen.headers.contains(&format!("user-agent: wxops/{}", env!("CARGO_PKG_VERSION"))), "{}", seen.headers);
    assert!(seen.headers.contains("content-type: application/json"), "{}", seen.headers);
}

#[tokio::test]
async fn the_observer_sees_every_try() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = calls.clone();
    let steps = [ok(NEWEST), ok("{}"), ok("<"), ok(r#"{"errcode":99}"#), Step::Reset];
    let (server, keeper) = (Server::start(steps).await, Keeper::default());
    let client = client().observed(Arc::new(move |call: Call<'_>| {
        assert!(call.seconds >= 0.0);
        log.lock().unwrap().push(format!("{} {} {}", call.platform.as_str(), call.api, call.errcode));
    }));
    for _ in 0..4 {
        client.call(&server.account(), &keeper, &info()).await.ok();
    }
    let expected = ["40001", "0", "reply", "other", "transport"].map(|code| format!("wechat user/info {code}"));
    assert_eq!(*calls.lock().unwrap(), expected);
}

#[tokio::test]
async fn no_secret_is_seen_in_what_prints_itself() {
    let request = Request::post("stable_token", &serde_json::json!({"secret": SECRET})).unwrap();
    let request = request.with("secret", SECRET).hiding(&Secret::new(SECRET));
    let proxied = Access { proxy: Some(Secret::new("http://user:CANARY@127.0.0.1:9")), ..account() };
    let client = client();
    let e = client.call_bare(&proxied, &request).await.unwrap_err();
    assert_clean(&shown(&e));
    assert_clean(&format!("{client:?} {request:?} {:?}", Keeper::default().current(&account()).await));

    let echo = format!(r#"{{"errcode":40066,"errmsg":"invalid url ?access_token={TOKEN}0","access_token":"CANARY"}}"#);
    let (answer, ..) = play([ok(&echo)]).await;
    let text = shown(&answer.unwrap_err());
    assert!(!text.contains("CANARY"), "{text}");
    let (answer, ..) = play([ok(r#"{"access_token":"CANARY"}"#)]).await;
    assert_clean(&format!("{:?}", answer.unwrap()));
}

/// A log that keeps everything in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_logged_even_at_trace() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::trace!("the log is open");
    let (answer, ..) = play([ok(NEWEST), ok("{}")]).await;
    drop(guard);
    answer.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("the log is open"));
    assert_clean(&text);
}
