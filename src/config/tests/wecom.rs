//! A WeCom application: what it may be without, and what no text shows of it.

use super::*;

const CALLBACK: &str = "token = 'T1'\ntoken_previous = 'T0'\n";

fn table(lines: &str) -> Scene {
    let keys = format!("aes_key = '{KEY}'\naes_key_previous = '{KEY}'\n");
    scene().file("wxops.toml", &format!("[wecom.crm]\n{}", lines.replace("KEYS", &format!("{CALLBACK}{keys}"))))
}

#[test]
fn one_that_only_receives_needs_no_secret_and_no_number() {
    let config = table("corp_id = 'ww1'\nKEYS").load();
    let [crm] = &config.wecoms[..] else { panic!("one application") };
    assert_eq!((crm.name.as_str(), crm.app_id.as_str(), crm.agent_id), ("crm", "ww1", None));
    assert_eq!(crm.tokens.iter().map(Secret::reveal).collect::<Vec<_>>(), ["T1", "T0"]);
    assert!(crm.receives() && !crm.has_token() && crm.aes_keys.len() == 2);
    assert_eq!(config.access(None).unwrap().name, "crm", "the only account there is");
    let error = config.secret_of(crm).unwrap_err();
    assert!(
        error.what.en.starts_with("account crm (corp_id: line 2 of ") && error.what.en.ends_with("has no Secret"),
        "{error}"
    );
    assert_eq!(error.next.unwrap().en, "set WECOM_SECRET, or secret in [wecom.crm]");
}

#[test]
fn one_that_sends_receives_nothing_without_the_keys() {
    let lines = "corp_id = 'ww1'\nagent_id = 1000002\nsecret = 's'\nto_user = 'zhang|li'\nwebhook_key = '693a-91f6'\n";
    let config = table(lines).load();
    let crm = &config.wecoms[0];
    assert!(!crm.receives() && crm.has_token());
    assert_eq!((crm.to_user.as_deref(), crm.agent_id), (Some("zhang|li"), Some(1_000_002)));
    assert_eq!(crm.webhook_key.as_ref().map(Secret::reveal), Some("693a-91f6"));
}

#[test]
fn variables_describe_the_only_one() {
    let env = [
        ("WECOM_CORP_ID", "ww1"),
        ("WECOM_TOKEN", "T1"),
        ("WECOM_AES_KEY", KEY),
        ("WECOM_TO_USER", "@all"),
        ("WECOM_WEBHOOK_KEY", "key-1"),
    ];
    let config = scene().env(&env).load();
    let only = &config.wecoms[0];
    assert_eq!((only.name.as_str(), only.receives(), only.to_user.as_deref()), ("wecom", true, Some("@all")));
    let beside = table("corp_id = 'ww2'\n").env(&env[1..]).load();
    assert_eq!((beside.wecoms[0].app_id.as_str(), beside.wecoms[0].tokens[0].reveal()), ("ww2", "T1"));
}

#[test]
fn a_half_is_refused() {
    let head = "corp_id = 'ww1'\nagent_id = 1000002\nsecret = 's'\n";
    for (lines, why) in [
        ("token = 'T1'\n".to_owned(), "wecom.crm.token (line 5 of DIR/wxops.toml): WECOM_AES_KEY is missing beside it"),
        (
            format!("aes_key = '{KEY}'\n"),
            "wecom.crm.aes_key (line 5 of DIR/wxops.toml): WECOM_TOKEN is missing beside it",
        ),
        (
            "token_previous = 'T0'\n".into(),
            "wecom.crm.token_previous (line 5 of DIR/wxops.toml): WECOM_TOKEN is missing beside it",
        ),
        (
            format!("token = 'T'\naes_key_previous = '{KEY}'\n"),
            "wecom.crm.aes_key_previous (line 6 of DIR/wxops.toml): WECOM_AES_KEY is missing beside it",
        ),
        (
            format!("token = 'a-b'\naes_key = '{KEY}'\n"),
            "wecom.crm.token (line 5 of DIR/wxops.toml): a Token is up to 32 letters and digits, as the console takes it",
        ),
        (
            "token = 'T'\naes_key = 'short'\n".into(),
            "wecom.crm.aes_key (line 6 of DIR/wxops.toml): an EncodingAESKey has 43 letters, this one has 5",
        ),
        (
            "webhook_key = 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1'\n".into(),
            "wecom.crm.webhook_key (line 5 of DIR/wxops.toml): must be the key of a group robot alone, which stands behind key= in its webhook",
        ),
    ] {
        assert_eq!(table(&format!("{head}{lines}")).refused().0, why);
    }
}

#[test]
fn one_that_can_do_nothing_is_refused() {
    let at = "wecom.crm.corp_id (line 2 of DIR/wxops.toml)";
    for (lines, missing) in [("", "AGENT_ID"), ("agent_id = 7\n", "SECRET"), ("secret = 's'\nKEYS", "AGENT_ID")] {
        let why = format!("{at}: WECOM_{missing} is missing beside it");
        assert_eq!(table(&format!("corp_id = 'ww1'\n{lines}")).refused().0, why);
    }
    assert!(table("KEYS").refused().0.contains("WECOM_CORP_ID is missing"));
}

#[test]
fn nothing_secret_is_shown() {
    let lines = "corp_id = 'ww1'\nwebhook_key = 'robotKey'\nKEYS";
    let config = table(lines).load();
    let shown: Vec<_> = config.origins.settings().filter(|s| s.name.starts_with("wecom.crm.")).collect();
    for name in ["token", "token_previous", "aes_key", "aes_key_previous", "webhook_key"] {
        let one = shown.iter().find(|s| s.name == format!("wecom.crm.{name}")).unwrap();
        assert_eq!(one.value.as_deref(), Some("***"), "{name}");
    }
    let hidden = config.wecoms[0].secrets();
    for text in ["T1", "T0", "robotKey", &KEY[..42]] {
        assert!(hidden.iter().any(|secret| secret.reveal() == text), "{text} is not among what is hidden");
    }
    let debug = format!("{config:?}");
    assert!(!debug.contains("robotKey") && !debug.contains(KEY) && !debug.contains("\"T1\""), "{debug}");
}
