use super::*;
use crate::domain::client::{Proof, Scope};

const ACCOUNTS: &str =
    "[official.main]\napp_id = 'wx1'\ntoken = 'ttt'\n[minigame.game]\napp_id = 'wx2'\napp_secret = 'CANARY-game'\n";
const TOKEN: &str = "CANARY-the-token-of-a-client";

fn hash(token: &str) -> String {
    crate::domain::hex::hex(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref())
}

fn client(lines: &str) -> Scene {
    scene().file("wxops.toml", &format!("{ACCOUNTS}[[client]]\n{lines}\n"))
}

fn good() -> String {
    format!("name = 'crm'\ntoken_sha256 = '{}'\nscopes = ['token:main', 'token:game']", hash(TOKEN))
}

#[test]
fn a_client_is_known_by_the_hash_of_its_token() {
    let lines = good() + "\naddresses = ['10.0.0.0/8', '::1']";
    let config = client(&lines).load();
    let [crm] = config.clients.as_slice() else { panic!("{:?}", config.clients) };
    assert!(crm.proof.matches(&Proof::of(TOKEN)) && !crm.proof.matches(&Proof::of("another")));
    assert_eq!(crm.scopes, [Scope::Token("main".into()), Scope::Token("game".into())]);
    assert!(crm.may_token("game") && !crm.may_token("other"));
    assert!(crm.may_come_from("10.1.2.3".parse().ok()) && !crm.may_come_from("11.1.2.3".parse().ok()));
    assert!(!crm.may_come_from(None));
    let shouted = client(&good().replace(&hash(TOKEN), &hash(TOKEN).to_uppercase())).load();
    assert!(shouted.clients[0].proof.matches(&Proof::of(TOKEN)) && shouted.clients[0].may_come_from(None));
    let all = client(&good().replace("'token:main', 'token:game'", "'token:*'")).load();
    assert!(all.clients[0].may_token("whatever"));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let nothing = hash("");
    for (lines, words) in [
        (good().replace("name = 'crm'", ""), "client.name (line 7 of DIR/wxops.toml): is missing"),
        (good().replace("'crm'", "'admin'"), "a client's name is"),
        (good().replace("'crm'", "'C R M'"), "a client's name is"),
        (good().replace("token_sha256", "token_sha265"), "did you mean token_sha256"),
        (good().replace(&hash(TOKEN), TOKEN), "64 hex letters"),
        (good().replace(&hash(TOKEN), &nothing), "the SHA-256 of an empty text"),
        (good().replace(&hash(TOKEN), &hash("\n")), "the SHA-256 of an empty text"),
        (good().replace("token_sha256", "# "), "printf %s TOKEN | sha256sum"),
        (good().replace("token:main", "token:mian"), "did you mean token:main"),
        (good().replace("token:main", "tokn:*"), "did you mean token:*"),
        (good().replace("token:main", "everything"), "there is token:main, token:game, token:*"),
        (good().replace("token:main", "tags:read"), "\"tags:read\" is not known yet"),
        (good().replace("['token:main', 'token:game']", "'token:main'"), "must be a list of texts"),
        (good().replace("['token:main', 'token:game']", "[]"), "such as [\"token:main\"]"),
        (good() + "\naddresses = ['10.0.0.0/33']", "no address and no network"),
        (good() + "\naddresses = ['crm.example.com']", "no address and no network"),
        (good() + "\naddresses = []", "leave it out"),
        (good() + "\n[[client]]\n" + &good(), "another client of this name"),
        (good() + "\n[[client]]\n" + &good().replace("'crm'", "'shop'"), "is that of client crm too"),
    ] {
        let (what, next) = client(&lines).refused();
        assert!(format!("{what} {next}").contains(words) && what.contains("(line "), "{lines}: {what} {next}");
        assert!(!what.contains(TOKEN) && !next.contains(TOKEN), "{what} {next}");
    }
}

#[test]
fn proxies_are_a_list_or_a_text() {
    let of = |value: &str| scene().file("wxops.toml", &format!("trusted_proxies = {value}\n{ACCOUNTS}"));
    let trusts =
        |config: &Config, text: &str| config.trusted_proxies.iter().any(|it| it.contains(text.parse().unwrap()));
    for value in ["['127.0.0.1', '10.0.0.0/8']", "'127.0.0.1, 10.0.0.0/8'"] {
        let config = of(value).load();
        assert!(config.trusted_proxies.len() == 2 && trusts(&config, "10.9.9.9") && !trusts(&config, "11.9.9.9"));
    }
    let from_env = scene().file("wxops.toml", ACCOUNTS).env(&[("WXOPS_TRUSTED_PROXIES", "::1")]).load();
    assert!(trusts(&from_env, "::1"));
    assert!(of("'nginx'").refused().0.contains("trusted_proxies (line 1 of DIR/wxops.toml): \"nginx\" is no address"));
    assert!(of("[1]").refused().0.contains("must be text in quotes"));
}

#[test]
fn origins_tell_of_clients_and_hide_the_hash() {
    let config = client(&good()).load();
    let told: Vec<_> = config.origins.settings().filter(|it| it.name.starts_with("client.")).collect();
    let of = |name: &str| told.iter().find(|it| it.name == name).and_then(|it| it.value.clone()).unwrap();
    assert_eq!(of("client.crm.scopes"), "token:main token:game");
    assert_eq!(of("client.crm.token_sha256"), "***");
    assert!(!format!("{config:#?}").contains(&hash(TOKEN)));
    let misplaced = client(&good().replace(&hash(TOKEN), TOKEN));
    assert!(crate::config::secrets(&misplaced.sources).iter().any(|secret| secret.reveal() == TOKEN));
    let other = client(&good().replace(", 'token:game'", "")).load();
    let changed = other.origins.changed(&config.origins);
    assert_eq!(
        changed.into_iter().filter(|name| name.starts_with("client.")).collect::<Vec<_>>(),
        ["client.crm.scopes"]
    );
}
