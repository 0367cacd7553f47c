//! Quota: what is used and left, what a clear brings back, how often there is one.

use super::{Stage, errcode, options, stage};
use crate::sandbox::Options;
use crate::sandbox::limits::Override;
use serde_json::{Value, json};

const QUOTA: &str = "/cgi-bin/openapi/quota/get";
const CLEAR: &str = "/cgi-bin/clear_quota";
const CLEAR_V2: &str = "/cgi-bin/clear_quota/v2";
const CLEAR_ONE: &str = "/cgi-bin/openapi/quota/clear";
const LIST: &str = "/cgi-bin/user/get";
const DAY: i64 = 24 * 3600;

async fn limited(limits: &[&str]) -> Stage {
    let limits = limits.iter().map(|text| Override::parse(text).unwrap()).collect();
    stage(Options { limits, followers: 3, ..options() }).await
}

async fn ask(stage: &Stage, path: &str, body: &Value) -> Value {
    let token = stage.token().await;
    stage.post(path, &[("access_token", token.as_str())], body).await
}

async fn quota(stage: &Stage, path: &str) -> Value {
    ask(stage, QUOTA, &json!({ "cgi_path": path })).await
}

async fn list(stage: &Stage) -> i64 {
    let token = stage.token().await;
    errcode(&stage.get(LIST, &[("access_token", token.as_str())]).await)
}

async fn clear(stage: &Stage) -> i64 {
    errcode(&ask(stage, CLEAR, &json!({ "appid": stage.account.app_id })).await)
}

#[tokio::test]
async fn used_and_left_are_told_of_each_api() {
    let stage = limited(&["/cgi-bin/user/get=20/day", "/cgi-bin/user/get=7/minute"]).await;
    for _ in 0..3 {
        assert_eq!(list(&stage).await, 0);
    }
    let told = quota(&stage, LIST).await;
    assert_eq!(told["quota"], json!({ "daily_limit": 20, "used": 3, "remain": 17 }));
    assert_eq!(told["rate_limit"], json!({ "call_count": 7, "refresh_second": 60 }));
    for (path, limit) in [
        ("/cgi-bin/token", 2_000),
        ("/cgi-bin/stable_token", 500_000),
        ("/cgi-bin/user/info", 5_000_000),
        ("/cgi-bin/message/mass/sendall", 100),
        ("/cgi-bin/getcallbackip", 0),
    ] {
        assert_eq!(quota(&stage, path).await["quota"]["daily_limit"], limit, "{path}");
    }
    let state = stage.get("/sandbox/state", &[]).await;
    assert_eq!(state["accounts"][0]["quota"]["used"][LIST], 3);
}

#[tokio::test]
async fn paths_that_cannot_be_asked_have_their_codes() {
    let mut stage = stage(options()).await;
    for (path, code) in [
        ("/cgi-bin/nothing", 76021),
        ("cgi-bin/nothing", 76021),
        ("/cgi-bin/gettoken", 76021),
        ("/sns/oauth2/access_token", 76022),
        ("/wxa/getwxacode", 76022),
        ("", 76003),
        ("cgi-bin/user/get", 76003),
        ("https://api.weixin.qq.com/cgi-bin/user/get", 76003),
    ] {
        assert_eq!(errcode(&quota(&stage, path).await), code, "{path}");
        assert_eq!(errcode(&ask(&stage, CLEAR_ONE, &json!({ "cgi_path": path })).await), code, "{path}");
    }
    stage.account = stage.sandbox.accounts().remove(2);
    assert_eq!(errcode(&quota(&stage, LIST).await), 76022, "a mini-game has no list of followers");
    assert_eq!(errcode(&quota(&stage, "/cgi-bin/token").await), 0);
}

#[tokio::test]
async fn a_spent_day_ends_at_midnight_and_a_minute_after_a_minute() {
    let stage = limited(&["/cgi-bin/user/get=4/day", "/cgi-bin/user/get=2/minute"]).await;
    let mut codes = Vec::new();
    for wait in [0, 0, 0, 60, 0, 0, 60, 12 * 3600 - 121, 1] {
        stage.sandbox.advance(wait);
        codes.push(list(&stage).await);
    }
    assert_eq!(codes, [0, 0, 45011, 0, 0, 45009, 45009, 45009, 0]);
}

#[tokio::test]
async fn a_clear_brings_back_the_day_but_not_the_minute() {
    let stage = limited(&["/cgi-bin/user/get=2/day", "/cgi-bin/user/get=2/minute", "/cgi-bin/user/info=0/day"]).await;
    assert_eq!((list(&stage).await, list(&stage).await, list(&stage).await), (0, 0, 45009));
    assert_eq!(clear(&stage).await, 0);
    assert_eq!(list(&stage).await, 45011);
    stage.sandbox.advance(60);
    assert_eq!((list(&stage).await, list(&stage).await, list(&stage).await), (0, 0, 45009));
    stage.sandbox.advance(60);
    assert_eq!(errcode(&ask(&stage, CLEAR_ONE, &json!({ "cgi_path": "/cgi-bin/user/info" })).await), 0);
    assert_eq!(list(&stage).await, 45009, "another API was cleared");
    assert_eq!(errcode(&ask(&stage, CLEAR_ONE, &json!({ "cgi_path": LIST })).await), 0);
    assert_eq!(list(&stage).await, 0);
}

#[tokio::test]
async fn ten_clears_a_month_by_token_and_by_secret_together() {
    let stage = stage(options()).await;
    let (app_id, secret) = (stage.account.app_id.clone(), stage.account.secret.reveal().to_owned());
    let keys = [("appid", app_id.as_str()), ("appsecret", secret.as_str())];
    let body = json!({ "appid": app_id, "appsecret": secret });
    for _ in 0..8 {
        assert_eq!(clear(&stage).await, 0);
    }
    assert_eq!(errcode(&stage.post(CLEAR_V2, &keys, &json!({})).await), 0);
    assert_eq!(errcode(&stage.post(CLEAR_V2, &[], &body).await), 0);
    assert_eq!(clear(&stage).await, 48006);
    assert_eq!(errcode(&stage.post(CLEAR_V2, &keys, &json!({})).await), 48006);
    assert_eq!(errcode(&ask(&stage, CLEAR_ONE, &json!({ "cgi_path": LIST })).await), 0, "those are counted apart");
    let state = stage.get("/sandbox/state", &[]).await;
    let counts = &state["accounts"][0]["quota"];
    assert_eq!((&counts["clears"], &counts["single_clears"]), (&json!(10), &json!(1)));
    // From noon on the 2nd of January to midnight before the 1st of February.
    stage.sandbox.advance(29 * DAY + 12 * 3600 - 1);
    assert_eq!(clear(&stage).await, 48006);
    stage.sandbox.advance(1);
    assert_eq!(clear(&stage).await, 0);
}

#[tokio::test]
async fn a_clear_wants_the_accounts_own_appid_and_secret() {
    let stage = stage(options()).await;
    let app_id = stage.account.app_id.as_str();
    let minigame = stage.sandbox.accounts().remove(2);
    for appid in ["", "wx0", minigame.app_id.as_str()] {
        assert_eq!(errcode(&ask(&stage, CLEAR, &json!({ "appid": appid })).await), 40013, "{appid}");
    }
    let rows: &[(&[(&str, &str)], i64)] = &[
        (&[], 41002),
        (&[("appid", app_id)], 41004),
        (&[("appid", "wx0"), ("appsecret", "x")], 40013),
        (&[("appid", app_id), ("appsecret", "x")], 40125),
    ];
    for (query, code) in rows {
        assert_eq!(errcode(&stage.post(CLEAR_V2, query, &json!({})).await), *code, "{query:?}");
    }
    assert_eq!(stage.get("/sandbox/state", &[]).await["accounts"][0]["quota"]["clears"], 0);
}

#[tokio::test]
async fn fifty_clears_of_single_apis_a_month() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    let body = json!({ "cgi_path": LIST });
    for _ in 0..50 {
        assert_eq!(errcode(&stage.post(CLEAR_ONE, &[("access_token", &token)], &body).await), 0);
    }
    assert_eq!(errcode(&stage.post(CLEAR_ONE, &[("access_token", &token)], &body).await), 48006);
    assert_eq!(clear(&stage).await, 0);
}

#[tokio::test]
async fn a_minute_of_gettoken_is_45009_in_wecoms_words() {
    let stage = limited(&["/cgi-bin/gettoken=1/minute"]).await;
    let wecom = stage.sandbox.accounts().remove(1);
    let query = [("corpid", wecom.app_id.as_str()), ("corpsecret", wecom.secret.reveal())];
    assert_eq!(errcode(&stage.get("/cgi-bin/gettoken", &query).await), 0);
    let refused = stage.get("/cgi-bin/gettoken", &query).await;
    assert!(refused["errmsg"].as_str().unwrap().starts_with("api freq out of limit, hint: ["), "{refused}");
    assert_eq!(errcode(&refused), 45009);
}

#[test]
fn limits_are_read_and_mistakes_named() {
    assert!(Override::parse("/cgi-bin/token=3/minute").is_ok());
    for wrong in ["/cgi-bin/token", "/cgi-bin/token=3", "/cgi-bin/token=x/day", "/cgi-bin/token=3/hour", "/none=3/day"]
    {
        let error = Override::parse(wrong).unwrap_err();
        assert!(error.kind.exit_code() == 2 && error.next.is_some(), "{wrong}");
    }
}
