//! Lists that change while they are read, and lists that are answered oddly.

use super::{Stage, errcode, options, stage};
use crate::sandbox::Options;
use crate::sandbox::lists::{Lists, Quirk};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

const BATCH: &str = "/cgi-bin/user/info/batchget";

async fn odd(quirks: &[Quirk], followers: u64) -> (Stage, String) {
    let lists = Lists { churn: 0, quirks: quirks.to_vec() };
    let stage = stage(Options { lists, followers, ..options() }).await;
    let token = stage.token().await;
    (stage, token)
}

async fn page(stage: &Stage, token: &str, next: &str) -> Value {
    stage.get("/cgi-bin/user/get", &[("access_token", token), ("next_openid", next)]).await
}

fn openids(page: &Value) -> Vec<String> {
    let list = page["data"]["openid"].as_array();
    list.into_iter().flatten().map(|openid| openid.as_str().unwrap().to_owned()).collect()
}

/// Every page until one is empty.
async fn pages(stage: &Stage, token: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let page = page(stage, token, &next).await;
        assert_eq!(errcode(&page), 0, "{page}");
        let list = openids(&page);
        assert_eq!(page["count"], list.len());
        if list.is_empty() {
            return pages;
        }
        next = page["next_openid"].as_str().unwrap().to_owned();
        pages.push(list);
        assert!(pages.len() < 20, "the list has no end");
    }
}

async fn infos(stage: &Stage, token: &str, openids: &[String]) -> Value {
    let list: Vec<Value> = openids.iter().map(|openid| json!({ "openid": openid })).collect();
    stage.post(BATCH, &[("access_token", token)], &json!({ "user_list": list })).await
}

async fn set(stage: &Stage, lists: &Value) -> u16 {
    stage.http.post(stage.url("/sandbox/lists")).json(lists).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn people_come_and_go_while_the_list_is_read() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let lists = Lists { churn: 40, quirks: Vec::new() };
        let stage = stage(Options { lists, followers: 25_000, ..options() }).await;
        let token = stage.token().await;
        let read = pages(&stage, &token).await;
        assert_eq!(read.iter().map(Vec::len).take(2).collect::<Vec<_>>(), [10_000, 10_000]);
        assert_eq!(read.len(), 4, "the last page holds those who joined after the third");
        let state = stage.get("/sandbox/state", &[]).await;
        let (account, churned) = (&state["accounts"][0], &state["accounts"][0]["churned"]);
        let [left, joined, returned] = ["left", "joined", "returned"].map(|name| churned[name].as_u64().unwrap());
        assert_eq!((left, joined + returned, &account["followers"]), (120, 120, &json!(25_000)));
        assert!(joined > 60 && returned > 0, "{churned}");
        assert_eq!((&account["pushes"], state["requests"]["by_path"].get("/callback")), (&json!(0), None));

        // Who is listed now, and who of those read is gone.
        assert_eq!(set(&stage, &json!({ "churn": 0 })).await, 200);
        let now: HashSet<String> = pages(&stage, &token).await.concat().into_iter().collect();
        assert_eq!(now.len(), 25_000);
        let gone: Vec<String> = read.concat().into_iter().filter(|openid| !now.contains(openid)).collect();
        assert!((20..=120).contains(&gone.len()), "{}", gone.len());
        for chunk in gone.chunks(100) {
            let told = infos(&stage, &token, chunk).await;
            assert!(told["user_info_list"].as_array().unwrap().iter().all(|info| info["subscribe"] == 0), "{told}");
        }
        runs.push((read, gone));
    }
    assert!(runs[0] == runs[1], "the seed fixes who comes and goes");
}

#[tokio::test]
async fn a_stuck_page_gives_back_what_was_sent() {
    let (stage, token) = odd(&[Quirk::Stuck], 20_000).await;
    let first = page(&stage, &token, "").await;
    let next = first["next_openid"].as_str().unwrap();
    assert_eq!(openids(&first).last().map(String::as_str), Some(next));
    let second = page(&stage, &token, next).await;
    assert_eq!((openids(&second).len(), second["next_openid"].as_str()), (10_000, Some(next)));
}

#[tokio::test]
async fn doubled_pages_overlap_and_end() {
    let (stage, token) = odd(&[Quirk::Doubled], 12_000).await;
    let read = pages(&stage, &token).await;
    assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [10_000, 2_010]);
    assert_eq!(read[0][9_990..], read[1][..10]);
    assert_eq!(read.concat().into_iter().collect::<BTreeSet<_>>().len(), 12_000);
}

#[tokio::test]
async fn totals_and_ends_may_be_odd() {
    let (stage, token) = odd(&[Quirk::TotalOff, Quirk::NullData], 5).await;
    let first = page(&stage, &token, "").await;
    assert_eq!((&first["total"], &first["count"]), (&json!(128), &json!(5)));
    let next = first["next_openid"].as_str().unwrap();
    for data in [json!({ "openid": [] }), Value::Null, json!({ "openid": [] })] {
        let end = page(&stage, &token, next).await;
        assert_eq!(end, json!({ "total": 128, "count": 0, "data": data, "next_openid": "" }));
    }
    assert_eq!(set(&stage, &json!({ "quirks": ["total-of"] })).await, 422);
    assert_eq!(set(&stage, &json!({ "quirks": ["total-off"] })).await, 200);
    assert!(page(&stage, &token, next).await.get("data").is_none());
}

#[tokio::test]
async fn a_shuffled_batch_holds_the_same_people() {
    let (stage, token) = odd(&[Quirk::Shuffled], 100).await;
    let all = openids(&page(&stage, &token, "").await);
    let told = infos(&stage, &token, &all).await;
    let list = told["user_info_list"].as_array().unwrap();
    let answered: Vec<String> = list.iter().map(|info| info["openid"].as_str().unwrap().to_owned()).collect();
    assert_ne!(answered, all);
    assert_eq!(answered.iter().collect::<BTreeSet<_>>(), all.iter().collect::<BTreeSet<_>>());
    assert_eq!(infos(&stage, &token, &all).await, told);
}

#[tokio::test]
async fn foreign_openids_are_listed_and_refused() {
    let stage = stage(Options { followers: 12_000, foreign: 24, ..options() }).await;
    let token = stage.token().await;
    let read = pages(&stage, &token).await;
    assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [10_000, 2_024]);
    let all = read.concat();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 12_024);
    assert_eq!(page(&stage, &token, "").await["total"], 12_024);
    let (mut bad, mut good) = (Vec::new(), 0);
    for chunk in all.chunks(100) {
        match errcode(&infos(&stage, &token, chunk).await) {
            0 => good += chunk.len(),
            code => {
                assert_eq!(code, 40003);
                bad.push(chunk);
            }
        }
    }
    assert_eq!((bad.len(), good), (24, 12_024 - 2_400), "spread: one in a batch");
    let mut refused = 0;
    for openid in bad[0] {
        let query = [("access_token", token.as_str()), ("openid", openid.as_str())];
        refused += usize::from(errcode(&stage.get("/cgi-bin/user/info", &query).await) == 40003);
        // Each is a place to go on from.
        assert_eq!(errcode(&page(&stage, &token, openid).await), 0);
    }
    assert_eq!(refused, 1);
    let state = stage.get("/sandbox/state", &[]).await;
    assert_eq!(state["accounts"][0]["followers"], 12_000);
}

#[test]
fn quirks_are_read_and_mistakes_named() {
    assert_eq!(Quirk::named("null-data").unwrap(), Quirk::NullData);
    let error = Quirk::named("nulldata").unwrap_err();
    assert!(error.kind.exit_code() == 2 && error.next.unwrap().en.contains("null-data"));
}
