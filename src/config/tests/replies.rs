//! `[[reply]]`: what is taken, in which order, by which account; every refusal with its line.

use super::*;
use crate::domain::reply::{Content, When};

const ACCOUNTS: &str =
    "[official.club]\napp_id = \"wx1\"\ntoken = \"abc\"\n[official.shop]\napp_id = \"wx2\"\ntoken = \"abc\"\n";

#[test]
fn every_account_gets_its_own_in_their_order() {
    let text = format!(
        "{ACCOUNTS}[[reply]]\non = \"subscribe\"\naccounts = [\"shop\"]\ntext = \"a\"\n\
         [[reply]]\nprefix = \"b\"\nimage = \"M\"\n[[reply]]\nexact = \"c\"\naccounts = [\"club\", \"shop\"]\ntext = \"c\"\n"
    );
    let config = scene().file("wxops.toml", &text).load();
    let [club, shop] = &config.officials[..] else { panic!("two accounts") };
    assert!(
        matches!(&club.replies[..], [b, c] if b.content == Content::Image("M".into()) && matches!(&c.when, When::Exact(_)))
    );
    assert!(matches!(&shop.replies[..], [a, _, _] if matches!(a.when, When::Subscribe)));
    assert_eq!(config.origins.of("reply").brief(), format!("{}:7", config.file.unwrap().display()));
}

#[test]
fn an_account_of_variables_alone_has_them_too() {
    let config = scene()
        .env(&[("WECHAT_APP_ID", "wx1"), ("WECHAT_TOKEN", "abc")])
        .file("wxops.toml", "[[reply]]\non = \"message\"\naccounts = [\"main\"]\ntext = \"a\"\n")
        .load();
    assert_eq!(config.officials[0].replies.len(), 1);
}

#[test]
fn what_can_not_be_sent_is_refused() {
    let text = |length: usize| format!("on = \"scan\"\ntext = \"{}\"", "x".repeat(length));
    scene().file("wxops.toml", &format!("{ACCOUNTS}[[reply]]\n{}\n", text(2048))).load();
    let cases: &[(&str, &str)] = &[
        ("on = \"scan\"", "reply (line 7 of DIR/wxops.toml): one of these is missing: text, image, news"),
        (
            "text = \"a\"",
            "reply (line 7 of DIR/wxops.toml): one of these is missing: on, exact, prefix, pattern, click",
        ),
        (
            "exact = \"a\"\nprefix = \"b\"\ntext = \"c\"",
            "reply.prefix (line 9 of DIR/wxops.toml): stands beside exact; only one of on, exact, prefix, pattern, click may be there",
        ),
        (
            "on = \"unsubscribe\"\ntext = \"c\"",
            "reply.on (line 8 of DIR/wxops.toml): must be subscribe, scan or message; nothing else can be answered",
        ),
        ("exact = \" \"\ntext = \"c\"", "reply.exact (line 8 of DIR/wxops.toml): is empty"),
        ("exact = 7\ntext = \"c\"", "reply.exact (line 8 of DIR/wxops.toml): must be text in quotes"),
        ("pattern = \"(a\"\ntext = \"c\"", "reply.pattern (line 8 of DIR/wxops.toml): not a pattern: unclosed group"),
        ("pattern = '\\w{1000}'\ntext = \"c\"", "reply.pattern (line 8 of DIR/wxops.toml): the pattern is too large"),
        (
            &text(2049),
            "reply.text (line 9 of DIR/wxops.toml): has 2049 bytes, the limit is 2048 (a Chinese character has 3)",
        ),
        (
            "on = \"scan\"\ntext = \"a\\u0001\"",
            "reply.text (line 9 of DIR/wxops.toml): has a character in it that can't be sent",
        ),
        (
            "on = \"scan\"\nimage = \"a b\"",
            "reply.image (line 9 of DIR/wxops.toml): not a media_id: letters, digits, _ and -",
        ),
        ("on = \"scan\"\nnews = { title = \"a\" }", "reply.news.url (line 9 of DIR/wxops.toml): missing"),
        (
            "on = \"scan\"\nnews = { title = \"a\", url = \"example.org\" }",
            "reply.news.url (line 9 of DIR/wxops.toml): not a URL that begins with https:// or http://",
        ),
        (
            "on = \"scan\"\ntext = \"a\"\naccounts = []",
            "reply.accounts (line 10 of DIR/wxops.toml): must be a list of names, such as [\"main\"]",
        ),
    ];
    for (section, message) in cases {
        let refused = scene().file("wxops.toml", &format!("{ACCOUNTS}[[reply]]\n{section}\n")).refused();
        assert_eq!(refused.0, *message);
    }
    let near = |section: &str| scene().file("wxops.toml", &format!("{ACCOUNTS}{section}\n")).refused();
    assert_eq!(
        near("[[reply]]\non = \"scan\"\ntxt = \"a\""),
        ("reply.txt (line 9 of DIR/wxops.toml): unknown key".into(), "did you mean text?".into())
    );
    assert_eq!(
        near("[[reply]]\non = \"scan\"\ntext = \"a\"\naccounts = [\"shap\"]"),
        (
            "reply.accounts (line 10 of DIR/wxops.toml): there is no account \"shap\"; there is club, shop".into(),
            "did you mean shop?".into()
        )
    );
    assert_eq!(near("[reply]\non = \"scan\"").0, "reply (line 7 of DIR/wxops.toml): must be written as [[reply]]");
}
