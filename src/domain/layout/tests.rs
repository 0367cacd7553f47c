//! Keys and values, byte for byte, as the libraries' sources have them.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::account::{Platform, TokenApi};

const APP_ID: &str = "wx0123456789abcdef";
const CORP_ID: &str = "ww0123456789abcdef";
/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;
const LIFE: i64 = 7_200_000;

fn account(platform: Platform, token_api: TokenApi) -> Access {
    let wecom = platform == Platform::WeCom;
    let (id, agent_id) = if wecom { (CORP_ID, Some(1_000_002)) } else { (APP_ID, None) };
    Access {
        agent_id,
        token_api,
        secret: Some(Secret::new("S")),
        ..Access::new(platform, "main", id, "https://api.example")
    }
}

fn official() -> Access {
    account(Platform::Official, TokenApi::Stable)
}

fn token(text: &Secret) -> Original<'_> {
    Original { text, expires_at: Some(NOW + LIFE), life_ms: Some(LIFE) }
}

fn key(layout: &str, account: &Access) -> String {
    Layout::parse(layout).unwrap().key(account).unwrap().reveal().to_owned()
}

fn copy(layout: &str, account: &Access) -> TokenCopy {
    Layout::parse(layout).unwrap().copy(account, token(&Secret::new("TOKEN")), NOW).unwrap()
}

#[test]
fn keys_are_those_of_the_libraries() {
    let legacy = account(Platform::Official, TokenApi::Legacy);
    let game = account(Platform::MiniGame, TokenApi::Stable);
    let old_game = account(Platform::MiniGame, TokenApi::Legacy);
    let wecom = account(Platform::WeCom, TokenApi::GetToken);
    let bag = "Senparc:DefaultCache:Container:Senparc.Weixin";
    for (layout, account, wanted) in [
        ("plain:crm:token", &wecom, "crm:token".to_owned()),
        ("wxjava", &official(), format!("wx:access_token:{APP_ID}")),
        ("wxjava", &legacy, format!("wx:access_token:{APP_ID}")),
        ("wxjava:wx:mp:multi", &official(), format!("wx:mp:multi:access_token:{APP_ID}")),
        ("wxjava", &game, format!("wa:access_token:{APP_ID}")),
        ("wxjava", &wecom, format!("wx:cp:wechat_cp_access_token_key:{CORP_ID}:1000002")),
        ("wxjava:", &wecom, format!("wechat_cp_access_token_key:{CORP_ID}:1000002")),
        ("wxjava:own:", &wecom, format!("own:wechat_cp_access_token_key:{CORP_ID}:1000002")),
        ("easywechat6", &official(), format!("easywechat:official_account.access_token.{APP_ID}.S.1")),
        ("easywechat6", &legacy, format!("easywechat:official_account.access_token.{APP_ID}.S.0")),
        ("easywechat6", &game, format!("easywechat:mini_app.access_token.{APP_ID}.S.1")),
        ("easywechat6", &old_game, format!("easywechat:mini_app.access_token.{APP_ID}.S.0")),
        ("easywechat6:", &wecom, format!("work.access_token.{CORP_ID}.S")),
        ("easywechat6:shop", &wecom, format!("shop:work.access_token.{CORP_ID}.S")),
        ("silenceper", &official(), format!("gowechat_officialaccount__stable_access_token_{APP_ID}")),
        ("silenceper", &legacy, format!("gowechat_officialaccount__access_token_{APP_ID}")),
        ("silenceper", &game, format!("gowechat_miniprogram__stable_access_token_{APP_ID}")),
        ("silenceper", &old_game, format!("gowechat_miniprogram__access_token_{APP_ID}")),
        ("silenceper", &wecom, format!("gowechat_work__access_token_{CORP_ID}_1000002")),
        ("senparc", &official(), format!("{bag}.MP.Containers.AccessTokenBag:{APP_ID}")),
        ("senparc", &game, format!("{bag}.WxOpen.Containers.AccessTokenBag:{APP_ID}")),
        ("senparc", &wecom, format!("{bag}.Work.Containers.AccessTokenBag:{CORP_ID}@S")),
        (
            "senparc:Shop",
            &legacy,
            format!("Senparc:Shop:Container:Senparc.Weixin.MP.Containers.AccessTokenBag:{APP_ID}"),
        ),
    ] {
        assert_eq!(key(layout, account), wanted, "{layout} {:?}", account.platform);
    }
}

#[test]
fn a_key_is_shown_without_the_secret() {
    let secret = Some(Secret::new("0123456789abcdef0123456789abcdef"));
    let official = Access { secret: secret.clone(), ..official() };
    let wecom = Access { secret, ..account(Platform::WeCom, TokenApi::GetToken) };
    let shown = |layout: &str, account| Layout::parse(layout).unwrap().shown_key(account).unwrap();
    assert_eq!(shown("easywechat6", &official), format!("easywechat:official_account.access_token.{APP_ID}.***.1"));
    assert!(shown("senparc", &wecom).ends_with(&format!(":{CORP_ID}@***")));
    assert_eq!(shown("plain:k", &wecom), "k");
}

#[test]
fn values_are_those_of_the_libraries() {
    for (layout, wanted) in
        [("plain:k", "TOKEN"), ("wxjava", "TOKEN"), ("silenceper", "TOKEN"), ("easywechat6", "s:5:\"TOKEN\";")]
    {
        let copy = copy(layout, &official());
        assert_eq!((copy.value.reveal(), copy.keep_ms), (wanted, Some(LIFE)), "{layout}");
    }
    let long = Secret::new("t".repeat(157));
    let copy = Layout::EasyWeChat6(None).copy(&official(), token(&long), NOW).unwrap();
    assert_eq!(copy.value.reveal(), format!("s:157:\"{}\";", long.reveal()));
}

#[test]
fn senparcs_bags_are_whole() {
    let ends = "\"AccessTokenResult\":{\"access_token\":\"TOKEN\",\"expires_in\":7200,\"errcode\":0,\"errmsg\":null},\
                \"Name\":null";
    let made = "\"CacheTime\":\"2026-01-01T00:00:00+00:00\"";
    for (platform, api, wanted) in [
        (
            Platform::Official,
            TokenApi::Stable,
            format!(
                "{{\"AppId\":\"{APP_ID}\",\"AppSecret\":\"S\",\"AccessTokenExpireTime\":\"2026-01-01T02:00:00+00:00\",{ends},\"Key\":\"{APP_ID}\",{made}}}"
            ),
        ),
        (
            Platform::MiniGame,
            TokenApi::Stable,
            format!(
                "{{\"WxOpenAppId\":\"{APP_ID}\",\"WxOpenAppSecret\":\"S\",\"AccessTokenExpireTime\":\"2026-01-01T02:00:00+00:00\",{ends},\"Key\":\"{APP_ID}\",{made}}}"
            ),
        ),
        (
            Platform::WeCom,
            TokenApi::GetToken,
            format!(
                "{{\"CorpId\":\"{CORP_ID}\",\"CorpSecret\":\"S\",\"ExpireTime\":\"2026-01-01T02:00:00+00:00\",{ends},\"Key\":\"{CORP_ID}@S\",{made}}}"
            ),
        ),
    ] {
        let account = account(platform, api);
        let copy = copy("senparc", &account);
        assert_eq!((copy.value.reveal(), copy.keep_ms), (wanted.as_str(), None));
        assert!(copy.is(&account, wanted.as_bytes(), -1), "{platform:?}");
        // The program has given it a name; it has begun anew; its secret was changed.
        assert!(copy.is(&account, wanted.replace("\"Name\":null", "\"Name\":\"shop\"").as_bytes(), -1));
        assert!(!copy.is(&account, wanted.replace("2026-01-01T02", "0001-01-01T00").as_bytes(), -1));
        assert!(!copy.is(&account, wanted.replace("\"S\"", "\"T\"").as_bytes(), -1));
        assert!(!copy.is(&account, b"TOKEN", -1));
    }
}

#[test]
fn a_copy_is_the_same_while_its_end_is() {
    let account = official();
    let wanted = copy("wxjava", &account);
    assert!(wanted.is(&account, b"TOKEN", LIFE) && wanted.is(&account, b"TOKEN", LIFE - SLACK_MS));
    assert!(!wanted.is(&account, b"TOKEN", LIFE - SLACK_MS - 1), "it would end before its token");
    assert!(!wanted.is(&account, b"TOKEN", -1), "it would be believed in for ever");
    assert!(!wanted.is(&account, b"token", LIFE));

    // One of unknown end stands for two hours at a time.
    let text = Secret::new("TOKEN");
    let by_hand = Original { text: &text, expires_at: None, life_ms: None };
    let wanted = Layout::Silenceper.copy(&account, by_hand, NOW).unwrap();
    assert_eq!(wanted.keep_ms, Some(UNKNOWN_MS));
    assert!(wanted.is(&account, b"TOKEN", ANEW_MS + 1) && !wanted.is(&account, b"TOKEN", ANEW_MS));
}

#[test]
fn what_has_ended_or_lacks_its_secret_is_not_copied() {
    let text = Secret::new("TOKEN");
    let ended = Original { expires_at: Some(NOW), ..token(&text) };
    assert!(Layout::Silenceper.copy(&official(), ended, NOW).is_none());
    let bare = Access { secret: None, ..official() };
    for layout in ["easywechat6", "senparc"] {
        let layout = Layout::parse(layout).unwrap();
        assert!(layout.needs_secret() && layout.copy(&bare, token(&text), NOW).is_none(), "{layout:?}");
    }
    assert!(Layout::WxJava(None).copy(&bare, token(&text), NOW).is_some());
}

#[test]
fn a_layout_is_one_of_the_five() {
    let long = format!("plain:{}", "k".repeat(KEY_MAX + 1));
    let strange =
        ["", "plain", "plain:", "plain:a b", "plain:wxops:x", "silenceper:x", "wxjava4", "senparc:a b", "wxjava:{x}"];
    for wrong in strange.into_iter().chain([long.as_str()]) {
        assert_eq!(Layout::parse(wrong).unwrap_err().kind, crate::error::Kind::Config, "{wrong}");
    }
    assert_eq!(Layout::parse("plain:a:b").unwrap(), Layout::Plain("a:b".into()));
    assert_eq!(Layout::parse("easywechat6:").unwrap(), Layout::EasyWeChat6(Some(String::new())));
}
