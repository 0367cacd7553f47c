//! The rid of an error leads back to its request: for its account, for 7 days, in bounded memory.

use super::{Stage, errcode, options, stage};
use crate::sandbox::{Account, Options};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const REQUESTS: &str = include_str!("../../../tests/vectors/official-account-requests.json");
const PATH: &str = "/cgi-bin/openapi/rid/get";

fn rid_of(answer: &Value) -> String {
    answer["errmsg"].as_str().unwrap().rsplit_once("rid: ").unwrap().1.to_owned()
}

async fn look(stage: &Stage, token: &str, rid: &str) -> Value {
    stage.post(PATH, &[("access_token", token)], &json!({ "rid": rid })).await
}

#[tokio::test]
async fn a_rid_shows_its_request_as_the_vector_does() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    let query = [("access_token", token.as_str()), ("openid", "oNOBODY")];
    let refused = stage.get("/cgi-bin/user/info", &query).await;
    let shown = look(&stage, &token, &rid_of(&refused)).await;

    let vectors: Value = serde_json::from_str(REQUESTS).unwrap();
    let case = vectors["cases"].as_array().unwrap().iter().find(|case| case["path"] == PATH).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&shown), names(&case["reply"]));
    assert_eq!(names(&shown["request"]), names(&case["reply"]["request"]));

    let request = &shown["request"];
    assert_eq!(request["request_url"], format!("access_token={}xxxx&openid=oNOBODY", &token[..6]));
    let answered: Value = serde_json::from_str(request["response_body"].as_str().unwrap()).unwrap();
    assert_eq!(answered, refused);
    assert_eq!((request["client_ip"].as_str(), request["request_body"].as_str()), (Some("127.0.0.1"), Some("")));
}

#[tokio::test]
async fn rids_that_are_not_told_have_their_codes() {
    let (own, other) = (Account::made("main", 1), Account::made("club", 2));
    let accounts = vec![own.clone(), other.clone()];
    let stage = stage(Options { accounts, ..options() }).await;
    let token = stage.token().await;
    let rid = rid_of(&stage.get("/cgi-bin/user/info", &[("access_token", token.as_str())]).await);
    for (rid, code) in [("", 76002), ("5f1e2d3c-4b5a6978", 76002), ("5f1e2d3c-4b5a6978-8796a5b4", 76001), (&rid, 0)] {
        assert_eq!(errcode(&look(&stage, &token, rid).await), code, "{rid}");
    }
    assert_eq!(errcode(&stage.post(PATH, &[("access_token", "damaged")], &json!({ "rid": rid })).await), 40014);

    let secret = other.secret.reveal();
    let query = [("grant_type", "client_credential"), ("appid", other.app_id.as_str()), ("secret", secret)];
    let others = stage.get("/cgi-bin/token", &query).await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(errcode(&look(&stage, &others, &rid).await), 76003);

    stage.sandbox.advance(8 * 24 * 3600);
    let token = stage.token().await;
    assert_eq!(errcode(&look(&stage, &token, &rid).await), 76004);
}

#[tokio::test]
async fn the_oldest_gives_way() {
    let stage = stage(options()).await;
    let token = stage.token().await;
    let refuse = async || rid_of(&stage.get("/cgi-bin/user/info", &[("access_token", token.as_str())]).await);
    let first = refuse().await;
    for _ in 0..999 {
        refuse().await;
    }
    assert_eq!(errcode(&look(&stage, &token, &first).await), 0);
    refuse().await;
    assert_eq!(errcode(&look(&stage, &token, &first).await), 76001);
}
