//! WeCom's gettoken, mini-games, and whose tokens are taken where.

use super::{Stage, errcode, options, stage};
use crate::sandbox::account::Kind;
use crate::sandbox::faults::Fault;
use crate::sandbox::{Account, Options};
use serde_json::{Value, json};

const GETTOKEN: &str = "/cgi-bin/gettoken";
const CALLBACK_IP: &str = "/cgi-bin/getcallbackip";

fn account(stage: &Stage, name: &str) -> Account {
    stage.sandbox.accounts().into_iter().find(|account| account.name == name).unwrap()
}

async fn gettoken(stage: &Stage, corp_id: &str, secret: &str) -> Value {
    stage.get(GETTOKEN, &[("corpid", corp_id), ("corpsecret", secret)]).await
}

async fn own(stage: &Stage) -> Value {
    let wecom = account(stage, "wecom");
    gettoken(stage, &wecom.app_id, wecom.secret.reveal()).await
}

fn token(answer: &Value) -> String {
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn used(stage: &Stage, token: &str) -> i64 {
    errcode(&stage.get(CALLBACK_IP, &[("access_token", token)]).await)
}

#[tokio::test]
async fn gettoken_gives_the_same_token_until_five_minutes_before_its_end() {
    let stage = stage(options()).await;
    let first = own(&stage).await;
    assert_eq!((errcode(&first), first["errmsg"].as_str(), first["expires_in"].as_i64()), (0, Some("ok"), Some(7200)));
    stage.sandbox.advance(6899);
    let again = own(&stage).await;
    assert_eq!((token(&again), again["expires_in"].as_i64()), (token(&first), Some(301)));
    stage.sandbox.advance(1);
    let next = own(&stage).await;
    assert_ne!(token(&next), token(&first));
    assert_eq!(next["expires_in"], 7200);
    stage.sandbox.advance(299);
    assert_eq!((used(&stage, &token(&first)).await, used(&stage, &token(&next)).await), (0, 0));
    stage.sandbox.advance(1);
    assert_eq!((used(&stage, &token(&first)).await, used(&stage, &token(&next)).await), (42001, 0));
}

#[tokio::test]
async fn each_app_of_a_corporation_has_its_own_token() {
    let app = |name: &str, agent_id, secret: &str| {
        Account::without_pushes(
            name,
            Kind::Wecom { agent_id },
            "ww1".to_owned(),
            crate::domain::secret::Secret::new(secret),
        )
    };
    let accounts = vec![app("a", 1, "SECRETA"), app("b", 2, "SECRETB")];
    let stage = stage(Options { accounts: accounts.clone(), ..options() }).await;
    let (a, b) = (gettoken(&stage, "ww1", "SECRETA").await, gettoken(&stage, "ww1", "SECRETB").await);
    assert_ne!(token(&a), token(&b));
    for twin in [app("c", 2, "SECRETC"), app("c", 3, "SECRETB"), app("b", 4, "SECRETD")] {
        let accounts = [accounts.clone(), vec![twin]].concat();
        assert_eq!(crate::sandbox::start(Options { accounts, ..options() }).await.err().unwrap().kind.exit_code(), 78);
    }
}

#[tokio::test]
async fn a_revoked_token_is_40014_and_the_next_is_another() {
    let stage = stage(options()).await;
    let (old, official) = (token(&own(&stage).await), stage.token().await);
    let revoke = async |order: Value| stage.http.post(stage.url("/sandbox/revoke")).json(&order).send().await.unwrap();
    let done = revoke(json!({ "account": "wecom" })).await;
    assert_eq!(done.json::<Value>().await.unwrap(), json!([{ "account": "wecom", "tokens": 1 }]));
    assert_eq!((used(&stage, &old).await, used(&stage, &official).await), (40014, 0));
    let next = token(&own(&stage).await);
    assert_ne!(next, old);
    assert_eq!(used(&stage, &next).await, 0);
    assert_eq!(revoke(json!({ "account": "nobody" })).await.status(), 400);
    assert_eq!(revoke(json!({})).await.json::<Value>().await.unwrap().as_array().unwrap().len(), 3);
    assert_eq!((used(&stage, &next).await, used(&stage, &official).await), (40014, 40001));
    let foreign = stage.http.post(stage.url("/sandbox/revoke")).header("origin", "http://evil.example");
    assert_eq!(foreign.json(&json!({})).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn five_wrong_secrets_block_the_address_for_an_hour() {
    let stage = stage(options()).await;
    let wecom = account(&stage, "wecom");
    for (corp_id, secret, code) in [
        ("", "x", 41002),
        (wecom.app_id.as_str(), "", 41004),
        ("ww0", "x", 40013),
        (stage.account.app_id.as_str(), "x", 40013),
    ] {
        assert_eq!(errcode(&gettoken(&stage, corp_id, secret).await), code);
    }
    for _ in 0..4 {
        assert_eq!(errcode(&gettoken(&stage, &wecom.app_id, "wrong").await), 40001);
    }
    // An hour later those four count no more.
    stage.sandbox.advance(3600);
    for _ in 0..5 {
        assert_eq!(errcode(&own(&stage).await), 0);
        assert_eq!(errcode(&gettoken(&stage, &wecom.app_id, "wrong").await), 40001);
    }
    let refused = own(&stage).await;
    let said = refused["errmsg"].as_str().unwrap();
    assert_eq!(errcode(&refused), 45009);
    assert!(
        said.starts_with("api freq out of limit, hint: [") && said.contains(", from ip: 127.0.0.1, more info at "),
        "{said}"
    );
    let blocked = stage.get("/sandbox/state", &[]).await["blocked"].clone();
    assert_eq!(blocked, json!([{ "ip": "127.0.0.1", "until": super::NOON_MS / 1000 + 2 * 3600 }]));
    assert_eq!(errcode(&stage.stable(false).await), 0, "the other platform knows nothing of it");
    stage.sandbox.advance(3599);
    assert_eq!(errcode(&own(&stage).await), 45009);
    stage.sandbox.advance(1);
    assert_eq!(errcode(&own(&stage).await), 0);
}

#[tokio::test]
async fn a_secret_of_another_corporation_is_40091() {
    let app = |name: &str, corp: &str, secret: &str| {
        Account::without_pushes(
            name,
            Kind::Wecom { agent_id: 1 },
            corp.to_owned(),
            crate::domain::secret::Secret::new(secret),
        )
    };
    let stage = stage(Options { accounts: vec![app("a", "ww1", "A"), app("b", "ww2", "B")], ..options() }).await;
    assert_eq!(errcode(&gettoken(&stage, "ww1", "B").await), 40091);
}

#[tokio::test]
async fn the_token_says_which_platform_is_asked() {
    let stage = stage(options()).await;
    let (wecom, official) = (token(&own(&stage).await), stage.token().await);
    let list = stage.get(CALLBACK_IP, &[("access_token", wecom.as_str())]).await;
    assert!(list["errcode"] == 0 && list["ip_list"].as_array().is_some_and(|list| !list.is_empty()), "{list}");
    assert!(stage.get(CALLBACK_IP, &[("access_token", official.as_str())]).await.get("errcode").is_none());

    let unknown: String = wecom.chars().rev().collect();
    let refused = stage.get(CALLBACK_IP, &[("access_token", unknown.as_str())]).await;
    assert_eq!((errcode(&refused), &refused["ip_list"]), (40014, &json!([])));
    assert!(refused["errmsg"].as_str().unwrap().starts_with("invalid access_token, hint: ["), "{refused}");
    let refused = stage.get(CALLBACK_IP, &[("access_token", "97_damaged")]).await;
    assert!(refused["errmsg"].as_str().unwrap().starts_with("invalid access_token rid: "), "{refused}");
    // At api.weixin.qq.com nobody knows a token of WeCom.
    let refused = stage.get("/cgi-bin/user/get", &[("access_token", wecom.as_str())]).await;
    assert_eq!(errcode(&refused), 40014);
    assert!(refused["errmsg"].as_str().unwrap().contains(" rid: "), "{refused}");
}

#[tokio::test]
async fn a_mini_game_has_tokens_and_no_followers() {
    let mut stage = stage(options()).await;
    let official = stage.token().await;
    stage.account = account(&stage, "minigame");
    let (stable, legacy) = (stage.token().await, token(&stage.legacy().await));
    assert!(stable != legacy && stable != official);
    assert_eq!((used(&stage, &stable).await, used(&stage, &legacy).await), (0, 0));
    assert_eq!(errcode(&stage.get("/cgi-bin/user/get", &[("access_token", stable.as_str())]).await), 48001);
    let order =
        crate::sandbox::push::Order { account: Some("minigame".to_owned()), ..crate::sandbox::push::Order::of("text") };
    assert_eq!(stage.sandbox.push(order).await.unwrap_err().kind.exit_code(), 2);
}

#[tokio::test]
async fn faults_of_the_ip_list_spare_gettoken() {
    let faults =
        ["ip-not-listed=1", "admin-confirm=1", "secret-frozen=1", "token-invalid=1", "60020@/cgi-bin/getcallbackip=1"];
    let faults = faults.iter().map(|text| Fault::parse(text).unwrap()).collect();
    let stage = stage(Options { faults, ..options() }).await;
    let token = token(&own(&stage).await);
    assert_eq!(errcode(&stage.stable(false).await), 40164);
    let order = json!({ "set": ["token-invalid=0"] });
    assert_eq!(stage.http.post(stage.url("/sandbox/faults")).json(&order).send().await.unwrap().status(), 200);
    let refused = stage.get(CALLBACK_IP, &[("access_token", token.as_str())]).await;
    assert!(refused["errmsg"].as_str().unwrap().starts_with("not allow to access from your ip, hint: ["), "{refused}");
}

#[tokio::test]
async fn secrets_of_apps_are_nowhere_written_and_keys_are_shown_as_they_are_pasted() {
    let stage = stage(options()).await;
    let wecom = account(&stage, "wecom");
    own(&stage).await;
    let journal = stage.http.get(stage.url("/sandbox/requests")).send().await.unwrap().text().await.unwrap();
    assert!(journal.contains("\"account\":\"wecom\"") && !journal.contains(wecom.secret.reveal()), "{journal}");
    let shown = stage.get("/sandbox/accounts", &[]).await;
    let expected = json!({
        "name": "wecom", "kind": "wecom", "api_base": stage.sandbox.url(),
        "corp_id": wecom.app_id, "agent_id": 1_000_002, "secret": wecom.secret.reveal(),
        "token": wecom.token.reveal(), "aes_key": wecom.aes_key.as_ref().unwrap().reveal(),
    });
    assert_eq!(shown[1], expected);
    assert_eq!((&shown[2]["kind"], shown[2]["app_id"].as_str().map(str::len)), (&json!("minigame"), Some(18)));
}
