//! The control API: what it shows, what it hides, whom it refuses.

use super::{options, stage};
use crate::sandbox::Options;
use reqwest::header;
use serde_json::{Value, json};

#[tokio::test]
async fn requests_are_written_down_without_secrets() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    stage.legacy().await;
    stage.get("/cgi-bin/user/get", &[("access_token", token.as_str())]).await;
    stage.get("/cgi-bin/user/get", &[("access_token", "damaged")]).await;
    let text = stage.http.get(stage.url("/sandbox/requests")).send().await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["n"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(lines[3]["errcode"], 40014);
    assert!(lines[..3].iter().all(|line| line["appid"] == stage.account.app_id.as_str()));
    for secret in [token.as_str(), stage.account.secret.reveal(), "damaged"] {
        assert!(!text.contains(secret));
    }
    let after = stage.http.get(stage.url("/sandbox/requests?after=2&path=/cgi-bin/user/get")).send().await.unwrap();
    assert_eq!(after.text().await.unwrap().lines().count(), 2);
    let state = stage.get("/sandbox/state", &[]).await;
    assert_eq!(state["requests"]["by_path"]["/cgi-bin/user/get"], json!({"0": 1, "40014": 1}));
    assert_eq!(state["accounts"][0]["followers"], 1000);
}

#[tokio::test]
async fn a_foreign_page_is_refused() {
    let stage = stage(options()).await;
    let rows = [
        (header::ORIGIN, "http://evil.example", 403),
        (header::ORIGIN, "null", 403),
        (header::ORIGIN, "http://127.0.0.1:8080", 200),
        (header::HOST, "evil.example", 403),
        (header::HOST, "localhost:9090", 200),
    ];
    for (name, value, status) in rows {
        let asked = stage.http.get(stage.url("/sandbox/accounts")).header(&name, value).send().await.unwrap();
        assert_eq!(asked.status(), status, "{name}: {value}");
    }
}

#[tokio::test]
async fn keys_are_shown_on_loopback_only() {
    let local = stage(options()).await;
    let keys: Value = local.get("/sandbox/accounts", &[]).await;
    assert_eq!(keys[0]["secret"], local.account.secret.reveal());
    let listen = "0.0.0.0:0".parse().unwrap();
    let open = stage(Options { listen, ..options() }).await;
    let url = format!("http://127.0.0.1:{}/sandbox/accounts", open.sandbox.addr().port());
    assert_eq!(open.http.get(url).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_clock_moves_and_tokens_with_it() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    let answer = stage.http.post(stage.url("/sandbox/clock")).json(&json!({"advance_seconds": 7200})).send();
    assert_eq!(answer.await.unwrap().json::<Value>().await.unwrap()["advanced_seconds"], 7200);
    let refused = stage.get("/cgi-bin/getcallbackip", &[("access_token", token.as_str())]).await;
    assert_eq!(super::errcode(&refused), 42001);
}

#[tokio::test]
async fn made_accounts_are_the_seeds() {
    let one = crate::sandbox::Account::made("main", 7);
    let same = crate::sandbox::Account::made("main", 7);
    let key = one.aes_key.as_ref().unwrap().reveal().to_owned();
    assert_eq!((one.app_id.as_str(), key.as_str()), (same.app_id.as_str(), same.aes_key.as_ref().unwrap().reveal()));
    assert_ne!(one.app_id, crate::sandbox::Account::made("main", 8).app_id);
    assert!(one.app_id.len() == 18 && one.secret.reveal().len() == 32 && key.len() == 43);
    let bytes = crate::sandbox::crypto::key_bytes(&key).unwrap();
    assert_ne!(crate::sandbox::crypto::key_letters(&bytes, 0), key, "a spare bit is set");
    assert!(!format!("{one:?}").contains(&key));
}

#[tokio::test]
async fn it_stops_with_its_calls_answered() {
    let latency = std::time::Duration::from_millis(200);
    let stage = stage(Options { latency, ..options() }).await;
    let call = tokio::spawn(stage.http.get(stage.url("/cgi-bin/nothing")).send());
    tokio::time::sleep(latency / 4).await;
    let url = stage.url("/cgi-bin/nothing");
    stage.sandbox.stop().await;
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    assert!(stage.http.get(url).send().await.is_err());
}

#[tokio::test]
async fn a_batch_is_written_down_by_number_and_first_openid() {
    let stage = stage(Options { followers: 100, ..options() }).await;
    let token = stage.token().await;
    let query = [("access_token", token.as_str())];
    let page = stage.get("/cgi-bin/user/get", &query).await;
    let all: Vec<&str> =
        page["data"]["openid"].as_array().unwrap().iter().map(|openid| openid.as_str().unwrap()).collect();
    for list in [&all[..], &all[..2]] {
        let list: Vec<Value> = list.iter().map(|openid| json!({ "openid": openid, "lang": "zh_CN" })).collect();
        stage.post("/cgi-bin/user/info/batchget", &query, &json!({ "user_list": list })).await;
    }
    let asked = stage.http.get(stage.url("/sandbox/requests?path=/cgi-bin/user/info/batchget")).send().await.unwrap();
    let lines: Vec<Value> =
        asked.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["body"], json!({ "openids": 100, "first": all[0] }));
    assert_eq!(lines[1]["body"]["user_list"][1]["openid"], all[1], "a short body is kept");
}
