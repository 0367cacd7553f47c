#![allow(clippy::unwrap_used)]

use super::quota::{self, Quota, Rate};
use super::token::{Renewal, legacy, stable};
use super::user::{Page, UserInfo, info, list};
use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::error::{Error, Kind, Result, Then};
use crate::platform::Platform;
use crate::platform::errcode::{self, Class};
use crate::platform::fresh::Fresh;
use crate::platform::testing::{Keeper, Seen, Server, Step, account, client, ok};
use serde_json::Value;
use std::collections::BTreeMap;

const TOKEN: &str = include_str!("../../../tests/vectors/official-account-token.json");
const REQUESTS: &str = include_str!("../../../tests/vectors/official-account-requests.json");

/// The account of the request vectors: their secret is the word SECRET.
fn vector_account(server: &Server) -> Access {
    Access { secret: Some(Secret::new("SECRET")), ..server.account() }
}

/// The class an error belongs to, as the vectors name it.
fn class_of(e: &Error) -> &'static str {
    match e.errcode {
        Some(code) if errcode::lookup(Platform::WeChat, code).is_none() => "unknown",
        Some(code) => errcode::class(Platform::WeChat, code).as_str(),
        None if e.what.en.contains("answered with HTTP 5") => Class::Platform.as_str(),
        None => "bad_reply",
    }
}

fn exit_of(expect: &str) -> u8 {
    match expect {
        "config" => 77,
        "platform" | "quota" | "backoff" | "bad_reply" => 69,
        "unknown" => 1,
        other => panic!("an expectation that this test doesn't know: {other}"),
    }
}

fn check(name: &str, vector: &Value, got: Result<Fresh>) {
    let expect = vector["expect"].as_str().unwrap();
    if expect == "token" {
        let fresh = got.unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let reply: Value = serde_json::from_str(vector["body"].as_str().unwrap()).unwrap();
        assert_eq!(fresh.text.reveal(), reply["access_token"].as_str().unwrap(), "{name}");
        let seconds = reply["expires_in"].to_string();
        assert_eq!(fresh.expires_in.to_string(), seconds.trim_matches('"'), "{name}");
        return;
    }
    let e = got.expect_err(name);
    assert_eq!((class_of(&e), e.kind.exit_code()), (expect, exit_of(expect)), "{name}: {e:?}");
    let Then::Pause { after, whole_account: true } = e.then else { panic!("{name}: {:?}", e.then) };
    if let Some(seconds) = vector["retry_after"].as_u64() {
        assert_eq!(after.as_secs(), seconds, "{name}");
    }
    if let Some(shown) = vector["show"].as_str() {
        assert!(e.next.as_ref().unwrap().en.contains(shown), "{name}: {e:?}");
    }
}

#[tokio::test]
async fn every_reply_of_a_token_endpoint_is_told_apart() {
    let vectors: Value = serde_json::from_str(TOKEN).unwrap();
    let replies = vectors["replies"].as_array().unwrap();
    let mut ran = 0;
    for vector in replies {
        let name = vector["name"].as_str().unwrap();
        let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
        let step = || Step::Reply(status, vector["body"].as_str().unwrap().to_owned());
        let server = Server::start([step(), step()]).await;
        check(name, vector, stable(&client(), &server.account(), Renewal::Normal).await);
        check(name, vector, legacy(&client(), &server.account()).await);
        ran += 1;
    }
    assert_eq!(ran, 21);
}

#[tokio::test]
async fn a_token_with_no_sane_life_or_odd_letters_is_refused() {
    for body in [
        r#"{"access_token":"A"}"#,
        r#"{"access_token":"A","expires_in":0}"#,
        r#"{"access_token":"A","expires_in":-7200}"#,
        r#"{"access_token":"A","expires_in":99999999999}"#,
        r#"{"access_token":"A","expires_in":"soon"}"#,
        r#"{"access_token":"A B","expires_in":7200}"#,
        r#"{"access_token":7,"expires_in":7200}"#,
    ] {
        let server = Server::start([ok(body)]).await;
        let e = stable(&client(), &server.account(), Renewal::Normal).await.expect_err(body);
        assert_eq!((class_of(&e), e.kind), ("bad_reply", Kind::Unavailable), "{body}");
    }
}

#[tokio::test]
async fn a_token_endpoint_needs_the_secret() {
    let without = Access { secret: None, ..account() };
    let e = stable(&client(), &without, Renewal::Normal).await.unwrap_err();
    assert_eq!(e.kind, Kind::Config);
    assert!(e.next.unwrap().en.contains("WECHAT_APP_SECRET"));
}

/// The body of a request vector as it stands in the file, without the blanks of its layout.
fn body_of(name: &str) -> String {
    let (_, case) = REQUESTS.split_once(&format!("\"name\": \"{name}\"")).unwrap();
    let (_, body) = case.split_once("\"body\": ").unwrap();
    let (body, _) = body.split_once("\"reply\"").unwrap();
    let compact: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    compact.trim_end_matches(',').to_owned()
}

fn case<'a>(vectors: &'a Value, name: &str) -> &'a Value {
    vectors["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap()
}

/// Method, path, query and body of what left, against the vector.
fn assert_sent(seen: &Seen, case: &Value) {
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        (case["method"].as_str().unwrap(), case["path"].as_str().unwrap())
    );
    let sent: BTreeMap<_, _> = seen.query.iter().cloned().collect();
    assert_eq!(sent.len(), seen.query.len(), "a parameter twice");
    assert_eq!(serde_json::to_value(sent).unwrap(), case["query"]);
    let body = case.get("body").map(|_| body_of(case["name"].as_str().unwrap())).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&seen.body), body);
}

#[tokio::test]
async fn token_requests_leave_as_the_vectors_have_them() {
    let vectors: Value = serde_json::from_str(REQUESTS).unwrap();
    for name in ["token", "stable token"] {
        let case = case(&vectors, name);
        let server = Server::start([ok(&case["reply"].to_string())]).await;
        let account = vector_account(&server);
        let fresh = match name {
            "token" => legacy(&client(), &account).await,
            _ => stable(&client(), &account, Renewal::Normal).await,
        };
        assert_eq!(
            (fresh.as_ref().unwrap().text.reveal(), fresh.as_ref().unwrap().expires_in),
            ("ACCESS_TOKEN_0001", 7200)
        );
        assert_sent(&server.seen()[0], case);
    }
}

#[tokio::test]
async fn a_forced_renewal_says_so() {
    let server = Server::start([ok(r#"{"access_token":"B","expires_in":7200}"#)]).await;
    stable(&client(), &vector_account(&server), Renewal::Force).await.unwrap();
    let sent: Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
    assert_eq!(sent["force_refresh"], true);
}

/// user/info of `openid`, answered with `reply`.
async fn ask(openid: &str, reply: &str) -> (Result<UserInfo>, Server) {
    let server = Server::start([ok(reply)]).await;
    let keeper = Keeper { text: Some("ACCESS_TOKEN_0001"), ..Keeper::default() };
    let got = info(&client(), &keeper, &server.account(), openid).await;
    (got, server)
}

#[tokio::test]
async fn user_info_leaves_and_comes_back_as_the_vectors_have_it() {
    let vectors: Value = serde_json::from_str(REQUESTS).unwrap();
    let follower = UserInfo {
        subscribe: true,
        openid: "oTEST0000000000000000000001_".to_owned(),
        language: Some("zh_CN".to_owned()),
        subscribe_time: Some(1_641_364_601),
        unionid: Some("uTEST0000000000000000000001".to_owned()),
        tagid_list: Some(vec![128, 2]),
        subscribe_scene: Some("ADD_SCENE_QR_CODE".to_owned()),
        qr_scene: Some(98765),
        ..UserInfo::default()
    };
    let stranger = UserInfo {
        openid: "oTEST0000000000000000000002-".to_owned(),
        tagid_list: Some(Vec::new()),
        ..UserInfo::default()
    };
    for (name, expected) in [("follower", follower), ("not a follower", stranger)] {
        let case = case(&vectors, name);
        let (got, server) = ask(&expected.openid, &case["reply"].to_string()).await;
        assert_eq!(got.unwrap(), expected, "{name}");
        assert_sent(&server.seen()[0], case);
    }
}

#[tokio::test]
async fn missing_keys_and_a_full_profile_are_both_read() {
    let (short, _) =
        ask("o1", r#"{"subscribe":1,"openid":"o1","subscribe_time":7,"qr_scene":0,"qr_scene_str":"门店"}"#).await;
    let short = short.unwrap();
    assert_eq!((short.nickname.as_ref(), short.tagid_list.as_ref(), short.sex), (None, None, None));
    assert_eq!((short.qr_scene, short.scene().as_deref()), (None, Some("门店")));

    let full = r#"{"subscribe":1,"openid":"o1","nickname":"阿明😀","sex":2,"city":"广州","province":"广东","country":"中国",
        "headimgurl":"http://thirdwx.qlogo.cn/x","remark":"老客户","qr_scene":12}"#;
    let full = ask("o1", full).await.0.unwrap();
    assert_eq!((full.nickname.as_deref(), full.sex, full.city.as_deref()), (Some("阿明😀"), Some(2), Some("广州")));
    assert_eq!((full.remark.as_deref(), full.scene().as_deref()), (Some("老客户"), Some("12")));
}

#[tokio::test]
async fn a_reply_about_someone_else_is_no_answer() {
    for reply in [r#"{"subscribe":1,"openid":"o2"}"#, r#"{"subscribe":1}"#, r#"{"openid":"o1"}"#, "{}"] {
        let e = ask("o1", reply).await.0.expect_err(reply);
        assert_eq!((e.kind, class_of(&e), e.then), (Kind::Unavailable, "bad_reply", Then::Again), "{reply}");
    }
}

/// Reference 4.1: the end is a list that is missing or empty, or no next openid; never a count.
#[tokio::test]
async fn a_list_of_followers_ends_where_it_says_so() {
    let page = |openids: &[&str], next: Option<&str>| Page {
        total: 3,
        openids: openids.iter().map(|openid| (*openid).to_owned()).collect(),
        next: next.map(str::to_owned),
    };
    let cases = [
        (r#"{"total":3,"count":2,"data":{"openid":["o1","o2"]},"next_openid":"o2"}"#, page(&["o1", "o2"], Some("o2"))),
        (r#"{"total":3,"count":1,"data":{"openid":["o3"]},"next_openid":""}"#, page(&["o3"], None)),
        (r#"{"total":3,"count":0,"next_openid":""}"#, page(&[], None)),
        (r#"{"total":3,"count":0,"data":{"openid":[]},"next_openid":"o9"}"#, page(&[], None)),
        (r#"{"total":3,"count":0,"data":{}}"#, page(&[], None)),
    ];
    for (body, expected) in cases {
        let server = Server::start([ok(body)]).await;
        let got = list(&client(), &Keeper::default(), &server.account(), Some("o0")).await.unwrap();
        assert_eq!(got, expected, "{body}");
        let query = &server.seen()[0].query;
        assert!(query.contains(&("next_openid".to_owned(), "o0".to_owned())), "{query:?}");
    }
    let broken = [
        r#"{"count":0}"#,
        r#"{"total":3,"data":{"openid":["o 1"]},"next_openid":"o1"}"#,
        r#"{"total":3,"data":{"openid":[7]},"next_openid":"o1"}"#,
        r#"{"total":3,"data":{"openid":"o1"}}"#,
    ];
    for body in broken {
        let server = Server::start([ok(body)]).await;
        let error = list(&client(), &Keeper::default(), &server.account(), Some("o0")).await.unwrap_err();
        assert!(error.what.en.contains("user/get") && error.kind == Kind::Unavailable, "{body}: {error:?}");
    }
    let circle = r#"{"total":3,"data":{"openid":["o1"]},"next_openid":"o0"}"#;
    let server = Server::start([ok(circle)]).await;
    let error = list(&client(), &Keeper::default(), &server.account(), Some("o0")).await.unwrap_err();
    assert!(error.what.en.contains("circle") && error.kind == Kind::Failed, "{error:?}");
}

fn keeper() -> Keeper {
    Keeper { text: Some("ACCESS_TOKEN_0001"), ..Keeper::default() }
}

#[tokio::test]
async fn quota_requests_leave_as_the_vectors_have_them() {
    let vectors: Value = serde_json::from_str(REQUESTS).unwrap();
    let quota_case = case(&vectors, "quota");
    let server = Server::start([ok(&quota_case["reply"].to_string())]).await;
    let got = quota::get(&client(), &keeper(), &server.account(), "/cgi-bin/message/mass/sendall").await.unwrap();
    let expected =
        Quota { daily_limit: Some(100), used: 3, remain: Some(97), rate_limit: Some(Rate { calls: 60, seconds: 60 }) };
    assert_eq!(got, expected);
    assert_sent(&server.seen()[0], quota_case);

    let unknown = case(&vectors, "quota of an unknown path");
    let server = Server::start([ok(&unknown["reply"].to_string())]).await;
    let e = quota::get(&client(), &keeper(), &server.account(), "cgi-bin/nothing").await.unwrap_err();
    assert_eq!((e.errcode, e.kind), (Some(76021), Kind::Failed));
    assert_sent(&server.seen()[0], unknown);

    let cleared = case(&vectors, "clear quota");
    let server = Server::start([ok(&cleared["reply"].to_string())]).await;
    assert_eq!(quota::clear(&client(), &keeper(), &server.account()).await.unwrap(), None);
    assert_sent(&server.seen()[0], cleared);
}

#[tokio::test]
async fn the_eleventh_clear_of_a_month_names_the_next_month_and_keeps_its_rid() {
    let body =
        r#"{"errcode":48006,"errmsg":"forbid to clear quota because of reaching the limit rid: 5f1e2d3c-4b5a6978"}"#;
    let server = Server::start([ok(body)]).await;
    let e = quota::clear(&client(), &keeper(), &server.account()).await.unwrap_err();
    assert_eq!((e.errcode, e.kind, e.rid.as_deref()), (Some(48006), Kind::Unavailable, Some("5f1e2d3c-4b5a6978")));
    assert!(e.next.as_ref().unwrap().en.contains("-01 00:00 +08:00"), "{e:?}");
}

#[tokio::test]
async fn a_limit_of_0_is_no_limit_and_odd_counts_are_read() {
    let none = Quota { daily_limit: None, used: 7, remain: None, rate_limit: None };
    let spent = Quota { daily_limit: Some(5), used: 9, remain: Some(0), rate_limit: None };
    for (body, expected) in [
        (r#"{"quota":{"daily_limit":0,"used":7,"remain":0},"rate_limit":{"call_count":0,"refresh_second":0}}"#, none),
        (r#"{"quota":{"daily_limit":"0","used":"7"}}"#, none),
        (r#"{"quota":{"daily_limit":5,"used":9,"remain":-4}}"#, spent),
        (r#"{"quota":{"daily_limit":5,"used":9},"rate_limit":{"call_count":3}}"#, spent),
    ] {
        let server = Server::start([ok(body)]).await;
        let got = quota::get(&client(), &keeper(), &server.account(), "/cgi-bin/user/get").await.unwrap();
        assert_eq!(got, expected, "{body}");
    }
    for body in ["{}", r#"{"quota":[]}"#, r#"{"quota":{"used":7}}"#, r#"{"quota":{"daily_limit":7,"used":"many"}}"#] {
        let server = Server::start([ok(body)]).await;
        let e = quota::get(&client(), &keeper(), &server.account(), "/cgi-bin/user/get").await.unwrap_err();
        assert!(e.what.en.contains("no usable quota") && e.kind == Kind::Unavailable, "{body}: {e:?}");
    }
}

/// Reference 8: whether body or query counts is unconfirmed; a secret stands in no URL.
#[tokio::test]
async fn a_clear_by_secret_sends_it_in_the_body_alone_and_needs_no_token() {
    let server = Server::start([ok(r#"{"errcode":0,"errmsg":"ok"}"#)]).await;
    quota::clear_by_secret(&client(), &vector_account(&server)).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.query.len()), ("POST", "/cgi-bin/clear_quota/v2", 0));
    assert_eq!(String::from_utf8_lossy(&seen.body), r#"{"appid":"wx0123456789abcdef","appsecret":"SECRET"}"#);

    let server = Server::start([ok(r#"{"errcode":40001,"errmsg":"invalid credential"}"#)]).await;
    let e = quota::clear_by_secret(&client(), &vector_account(&server)).await.unwrap_err();
    assert!(e.next.as_ref().unwrap().en.contains("the AppSecret is wrong"), "{e:?}");

    let e = quota::clear_by_secret(&client(), &Access { secret: None, ..account() }).await.unwrap_err();
    assert_eq!(e.kind, Kind::Config);
}
