//! Followers: pages with their exact end, the two forms of user/info, batches.

use super::{Stage, errcode, options, stage};
use crate::sandbox::Options;
use serde_json::{Value, json};
use std::collections::HashSet;

async fn page(stage: &Stage, token: &str, next: &str) -> Value {
    stage.get("/cgi-bin/user/get", &[("access_token", token), ("next_openid", next)]).await
}

fn openids(page: &Value) -> Vec<String> {
    let list = page["data"]["openid"].as_array().unwrap();
    list.iter().map(|openid| openid.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn twenty_three_thousand_followers_come_in_three_pages_and_an_end() {
    let stage = stage(Options { followers: 23_000, ..options() }).await;
    let token = stage.token().await;
    let mut next = String::new();
    let mut seen = HashSet::new();
    for expected in [10_000, 10_000, 3_000] {
        let page = page(&stage, &token, &next).await;
        assert_eq!((page["total"].as_u64(), page["count"].as_u64()), (Some(23_000), Some(expected)));
        let list = openids(&page);
        assert_eq!(page["next_openid"].as_str(), list.last().map(String::as_str));
        next = list.last().unwrap().clone();
        seen.extend(list);
    }
    assert_eq!(seen.len(), 23_000);
    assert!(seen.iter().all(|openid| openid.len() == 28 && openid.starts_with('o')));
    assert_eq!(page(&stage, &token, &next).await, json!({"total": 23_000, "count": 0, "next_openid": ""}));
}

#[tokio::test]
async fn a_full_last_page_still_carries_next_openid() {
    let stage = stage(Options { followers: 10_000, ..options() }).await;
    let token = stage.token().await;
    let first = page(&stage, &token, "").await;
    let next = first["next_openid"].as_str().unwrap();
    assert_eq!(openids(&first).last().map(String::as_str), Some(next));
    assert!(page(&stage, &token, next).await.get("data").is_none());
    assert_eq!(errcode(&page(&stage, &token, "oNOBODY").await), 40003);
}

#[tokio::test]
async fn the_list_is_the_seeds_and_500_calls_a_day() {
    let one = stage(Options { followers: 5, ..options() }).await;
    let same = stage(Options { followers: 5, ..options() }).await;
    let other = stage(Options { followers: 5, seed: 2, ..options() }).await;
    let mut lists = Vec::new();
    for stage in [&one, &same, &other] {
        lists.push(openids(&page(stage, &stage.token().await, "").await));
    }
    assert_eq!(lists[0], lists[1]);
    assert_ne!(lists[0], lists[2]);
    let token = one.token().await;
    for _ in 1..500 {
        assert_eq!(errcode(&page(&one, &token, "").await), 0);
    }
    assert_eq!(errcode(&page(&one, &token, "").await), 45009);
    assert_eq!(errcode(&page(&stage(Options { followers: 0, ..options() }).await, &token, "").await), 40014);
}

#[tokio::test]
async fn user_info_is_empty_today_and_filled_in_2021() {
    for profile_2021 in [false, true] {
        let stage = stage(Options { followers: 50, profile_2021, ..options() }).await;
        let token = stage.token().await;
        let mut names = 0;
        for openid in openids(&page(&stage, &token, "").await) {
            let query = [("access_token", token.as_str()), ("openid", openid.as_str()), ("lang", "zh_CN")];
            let info = stage.get("/cgi-bin/user/info", &query).await;
            assert_eq!((info["subscribe"].as_i64(), info["openid"].as_str()), (Some(1), Some(openid.as_str())));
            names += usize::from(!info["nickname"].as_str().unwrap().is_empty());
        }
        assert_eq!(names, if profile_2021 { 50 } else { 0 });
    }
}

#[tokio::test]
async fn openids_of_nobody_are_40003_and_none_is_41009() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    for (openid, code) in [("oTEST0000000000000000000001_", 40003), ("", 41009)] {
        let query = [("access_token", token.as_str()), ("openid", openid)];
        assert_eq!(errcode(&stage.get("/cgi-bin/user/info", &query).await), code);
    }
}

#[tokio::test]
async fn batches_hold_1_to_100_known_openids() {
    let stage = stage(Options { followers: 200, ..options() }).await;
    let token = stage.token().await;
    let all = openids(&page(&stage, &token, "").await);
    let batch = |list: &[String]| {
        let list: Vec<Value> = list.iter().map(|openid| json!({"openid": openid, "lang": "zh_CN"})).collect();
        json!({"user_list": list})
    };
    let query = [("access_token", token.as_str())];
    let path = "/cgi-bin/user/info/batchget";
    let good = stage.post(path, &query, &batch(&all[..100])).await;
    let infos = good["user_info_list"].as_array().unwrap();
    assert!(infos.len() == 100 && infos[0].get("nickname").is_none());
    let foreign = ["oTEST0000000000000000000001_".to_owned()];
    let doubled = [all[0].clone(), all[0].clone()];
    let empty = [String::new()];
    let rows =
        [(&all[..101], 40032), (&all[..0], 40032), (&foreign[..], 40003), (&doubled[..], 40032), (&empty[..], 40032)];
    for (list, code) in rows {
        assert_eq!(errcode(&stage.post(path, &query, &batch(list)).await), code);
    }
}

#[tokio::test]
async fn methods_bodies_and_paths_are_minded() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    let query = [("access_token", token.as_str())];
    assert_eq!(errcode(&stage.post("/cgi-bin/user/get", &query, &json!({})).await), 43001);
    assert_eq!(errcode(&stage.get("/cgi-bin/user/info/batchget", &query).await), 43002);
    assert_eq!(errcode(&stage.get("/cgi-bin/nothing", &query).await), 40066);
    let rows = [("", 44002), ("user_list=1", 47001), ("\u{feff}{}", 47001), ("{\"user_list\":\"\\u4e2d\"}", 47002)];
    for (body, code) in rows {
        let url = stage.url("/cgi-bin/user/info/batchget");
        let answer = stage.http.post(url).query(&query).body(body).send().await.unwrap();
        assert_eq!(errcode(&answer.json().await.unwrap()), code, "{body:?}");
    }
}

#[tokio::test]
async fn two_accounts_share_nothing_but_the_person_behind() {
    let accounts = vec![crate::sandbox::Account::made("a", 1), crate::sandbox::Account::made("b", 1)];
    let mut stage = stage(Options { accounts, followers: 3, ..options() }).await;
    let mut seen = Vec::new();
    for account in stage.sandbox.accounts() {
        stage.account = account;
        let token = stage.token().await;
        let openid = openids(&page(&stage, &token, "").await).remove(0);
        let query = [("access_token", token.as_str()), ("openid", openid.as_str())];
        seen.push((stage.get("/cgi-bin/user/info", &query).await["unionid"].clone(), openid, token));
    }
    assert_eq!(seen[0].0, seen[1].0);
    assert_ne!(seen[0].1, seen[1].1);
    let crossed = [("access_token", seen[0].2.as_str()), ("openid", seen[1].1.as_str())];
    assert_eq!(errcode(&stage.get("/cgi-bin/user/info", &crossed).await), 40003);
}
