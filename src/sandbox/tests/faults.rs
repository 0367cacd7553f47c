//! Each fault as a client sees it.

use super::{Stage, errcode, options, stage};
use crate::sandbox::Options;
use crate::sandbox::faults::Fault;
use serde_json::json;

async fn with(faults: &[&str]) -> Stage {
    let faults = faults.iter().map(|text| Fault::parse(text).unwrap()).collect();
    stage(Options { faults, followers: 3, ..options() }).await
}

#[test]
fn faults_are_read_with_shares_percents_and_paths() {
    let fault = Fault::parse("busy@/cgi-bin/user/info=0.5").unwrap();
    assert_eq!((fault.name().as_str(), fault.path.as_deref(), fault.rate), ("busy", Some("/cgi-bin/user/info"), 0.5));
    assert_eq!(Fault::parse("48001=25%").unwrap().rate, 0.25);
    for wrong in ["busy", "busy=2", "busy=-1", "nothing=1", "12345=1", "busy@info=1", "busy@weibo=1", "busy=x"] {
        assert!(Fault::parse(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn codes_strike_where_they_may() {
    let stage =
        with(&["token-invalid@/cgi-bin/user/get=1", "quota@/cgi-bin/getcallbackip=1", "48001@/cgi-bin/user/info=1"])
            .await;
    let token = stage.token().await;
    let query = [("access_token", token.as_str())];
    for (path, code) in [("/cgi-bin/user/get", 40001), ("/cgi-bin/getcallbackip", 45009), ("/cgi-bin/user/info", 48001)]
    {
        assert_eq!(errcode(&stage.get(path, &query).await), code);
    }
}

#[tokio::test]
async fn a_share_is_struck_and_the_same_calls_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let stage = with(&["busy=0.3"]).await;
        let mut codes = Vec::new();
        for _ in 0..200 {
            codes.push(errcode(&stage.stable(false).await));
        }
        runs.push(codes);
    }
    assert_eq!(runs[0], runs[1]);
    let busy = runs[0].iter().filter(|code| **code == -1).count();
    assert!((40..80).contains(&busy), "{busy}");
}

#[tokio::test]
async fn broken_answers_look_like_the_networks() {
    let stage = with(&[]).await;
    let send = |path: &str| stage.http.get(stage.url(path)).send();
    let set = async |fault: &str| {
        let order = json!({"clear": true, "set": [fault]});
        let answer = stage.http.post(stage.url("/sandbox/faults")).json(&order).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    set("http-500=1").await;
    assert_eq!(send("/cgi-bin/user/get").await.unwrap().status(), 500);
    set("html=1").await;
    let page = send("/cgi-bin/user/get").await.unwrap();
    assert!(page.status() == 200 && page.text().await.unwrap().starts_with("<html>"));
    set("reset=1").await;
    assert!(send("/cgi-bin/user/get").await.unwrap_err().is_request());
    set("cut=1").await;
    let half = send("/cgi-bin/user/get").await.unwrap();
    assert!(half.status() == 200 && half.bytes().await.is_err());
}

#[tokio::test]
async fn a_lost_answer_was_worked_for() {
    let stage = with(&["lost-answer@/cgi-bin/stable_token=1"]).await;
    let body = json!({"grant_type": "client_credential", "appid": stage.account.app_id, "secret": stage.account.secret.reveal()});
    let lost = stage.http.post(stage.url("/cgi-bin/stable_token")).json(&body).send().await;
    assert!(lost.unwrap_err().is_request());
    let state = stage.get("/sandbox/state", &[]).await;
    assert_eq!(state["accounts"][0]["tokens_issued"], 1);
}

#[tokio::test]
async fn latency_is_waited() {
    let latency = std::time::Duration::from_millis(60);
    let stage = stage(Options { latency, ..options() }).await;
    let began = std::time::Instant::now();
    stage.token().await;
    assert!(began.elapsed() >= latency);
}
