#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::{Error, Kind, Then};
use chrono::DateTime;
use serde_json::Value;
use std::time::Duration;

const VECTORS: &str = include_str!("../../../tests/vectors/official-account-errcodes.json");

fn refuse(api: &str, code: i64, errmsg: &str) -> Error {
    let now_ms = DateTime::parse_from_rfc3339("2026-11-21T13:00:00Z").unwrap().timestamp_millis();
    error(&Refusal { platform: Platform::WeChat, api, code, errmsg, rid: Some("5f1e-4b5a-8796") }, now_ms)
}

fn pause(seconds: u64, whole_account: bool) -> Then {
    Then::Pause { after: Duration::from_secs(seconds), whole_account }
}

#[test]
fn every_row_is_the_reference_s() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let expected = vectors["rows"].as_array().unwrap();
    assert_eq!((expected.len(), rows(Platform::WeChat).len()), (120, 120));
    for (row, theirs) in rows(Platform::WeChat).iter().zip(expected) {
        let ours = serde_json::json!({
            "errcode": row.code, "errmsg": row.errmsg, "class": row.class.as_str(),
            "wait_seconds": row.wait, "exit": row.exit(),
        });
        for (key, value) in ours.as_object().unwrap() {
            assert_eq!(value, &theirs[key], "{key} of {}", row.code);
        }
        assert_eq!(lookup(Platform::WeChat, row.code), Some(row), "the first row of {}", row.code);
    }
}

#[test]
fn every_row_speaks_both_languages() {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for row in rows(Platform::WeChat).iter().chain(rows(Platform::WeCom)) {
        for words in [row.meaning, row.action, row.step.who.words()] {
            assert!(!words.en.is_empty() && !han(words.en), "English of {}", row.code);
            assert!(han(words.zh), "Chinese of {}", row.code);
        }
        // A page of the console has its Chinese name in English too: so it stands there.
        assert!(!row.step.words.en.is_empty() && han(row.step.words.zh), "step of {}", row.code);
    }
}

#[test]
fn every_refusal_ends_with_the_exit_code_of_its_row() {
    for row in rows(Platform::WeChat).iter().filter(|row| row.exit() != 0) {
        assert_eq!(refuse("user/info", row.code, row.errmsg).kind.exit_code(), row.exit(), "{}", row.code);
    }
}

#[test]
fn the_channel_pauses_as_far_as_the_fault_reaches() {
    let expected = [
        (-1, pause(1, false)),
        (45011, pause(60, false)),
        (45009, pause(3 * 3600, false)),
        (48001, pause(60, false)),
        (40001, pause(60, true)),
        (42001, pause(60, true)),
        (40164, pause(300, true)),
        (40125, pause(3600, true)),
        (89506, pause(86400, true)),
        (45047, Then::Again),
        (40003, Then::Never),
        (45159, Then::Never),
        (87654321, Then::Never),
    ];
    for (code, then) in expected {
        assert_eq!(refuse("user/info", code, "x").then, then, "{code}");
    }
}

#[test]
fn what_a_token_endpoint_refuses_is_no_fault_of_an_item() {
    for row in rows(Platform::WeChat) {
        let then = refuse("stable_token", row.code, row.errmsg).then;
        assert!(matches!(then, Then::Pause { whole_account: true, .. }), "{}: {then:?}", row.code);
    }
    assert_eq!(refuse("stable_token", 87654321, "new").then, pause(60, true));
    let secret = refuse("stable_token", 40001, "invalid credential");
    assert!(secret.next.unwrap().en.starts_with("the AppSecret is wrong"));
}

#[test]
fn a_spent_quota_names_the_hour_in_shanghai() {
    let e = refuse("user/info", 45009, "reach max api daily quota limit");
    assert_eq!(
        e.what.en,
        "user/info: errcode 45009: reach max api daily quota limit (rid 5f1e-4b5a-8796): the daily quota of the API is used up (some texts: of the minute)"
    );
    assert!(e.next.as_ref().unwrap().en.ends_with("; it can go on at 2026-11-22 00:00 +08:00"), "{:?}", e.next);
    assert!(e.next.unwrap().zh.ends_with("；2026-11-22 00:00 +08:00 起可继续"));
    let month = refuse("clear_quota", 48006, "forbid to clear quota because of reaching the limit");
    assert!(month.next.unwrap().en.ends_with("2026-12-01 00:00 +08:00"));
}

#[test]
fn a_foreign_address_is_printed_and_a_refused_one_has_its_hour() {
    let e = refuse("stable_token", 40164, "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist");
    assert_eq!((e.kind, e.errcode, e.rid.as_deref()), (Kind::Refused, Some(40164), Some("5f1e-4b5a-8796")));
    let next = e.next.unwrap();
    assert!(next.en.starts_with("add 203.0.113.7 to the account's IP list"), "{}", next.en);
    assert!(next.zh.contains("203.0.113.7 加入该账号的 IP 白名单"), "{}", next.zh);

    let unnamed = refuse("stable_token", 40164, "invalid ip, not in whitelist").next.unwrap();
    assert!(unnamed.en.starts_with("add the address named in errmsg"), "{}", unnamed.en);

    for (code, hour) in [(89503, "2026-11-21 21:10"), (89507, "2026-11-21 22:00"), (89506, "2026-11-22 21:00")] {
        let next = refuse("stable_token", code, "rejected by administrator").next.unwrap();
        assert!(next.en.ends_with(&format!("; try again after {hour} +08:00")), "{}", next.en);
    }
}

#[test]
fn an_unknown_code_is_shown_raw_and_never_repeated() {
    let e = refuse("user/info", 87654321, "something new");
    assert_eq!((e.kind, e.then), (Kind::Failed, Then::Never));
    assert_eq!(e.what.en, "user/info: errcode 87654321: something new (rid 5f1e-4b5a-8796)");
    assert_eq!(e.what.zh, "user/info：errcode 87654321: something new（rid 5f1e-4b5a-8796）");
}

#[test]
fn what_is_told_is_what_is_done() {
    let now_ms = 0;
    for row in rows(Platform::WeChat) {
        for api in ["user/info", "stable_token"] {
            let refusal = Refusal { platform: Platform::WeChat, api, code: row.code, errmsg: row.errmsg, rid: None };
            let told = conduct(&refusal, now_ms);
            if told.first == Move::Take {
                assert!(matches!(row.class, Class::Ok | Class::Done) && told.exit == 0, "{}", row.code);
                continue;
            }
            let done = error(&refusal, now_ms);
            assert_eq!((told.exit, told.then), (done.kind.exit_code(), done.then), "{api} {}", row.code);
            assert_eq!(told.probing.is_some(), matches!(done.then, Then::Pause { .. }), "{api} {}", row.code);
            assert!(done.next.unwrap().en.starts_with(&told.next.en), "{api} {}", row.code);
            assert_eq!(told.first == Move::Renew, row.class == Class::Token && api == "user/info", "{}", row.code);
        }
    }
}

#[test]
fn an_ill_channel_is_probed_soon_then_less_often() {
    let waits = |code, after: u64| {
        let probing = probing(code, Duration::from_secs(after));
        [0, 1, 2, 3, 6, 7, 99].map(|failures| probing.wait(failures).as_secs())
    };
    assert_eq!(waits(Some(-1), 1), [1, 1, 2, 4, 32, 32, 32]);
    assert_eq!(waits(None, 5), [5, 5, 10, 20, 60, 60, 60]);
    assert_eq!(waits(Some(40164), 300), [60; 7]);
    assert_eq!(waits(Some(89506), 86_400), [86_400; 7]);
}

/// What follows from a code of WeCom for a row of the notification queue and its channel (WeCom reference 6).
#[test]
fn every_code_of_wecom_has_its_consequence() {
    let now_ms = DateTime::parse_from_rfc3339("2026-11-21T13:00:00Z").unwrap().timestamp_millis();
    let refuse =
        |api, code, errmsg| error(&Refusal { platform: Platform::WeCom, api, code, errmsg, rid: None }, now_ms);
    let dead = [
        40003, 40007, 40008, 40031, 40035, 40058, 40063, 44004, 45002, 50002, 60011, 81013, 82001, 82002, 82003, 85002,
    ];
    let stops = [
        40001, 40013, 40014, 40056, 40091, 41001, 41002, 41004, 42001, 48002, 50003, 60020, 93000, 93004, 93008,
        301_002,
    ];
    let pauses = [(-1, 5), (6000, 2), (45009, 60), (45033, 2)];
    assert_eq!(rows(Platform::WeCom).len(), dead.len() + stops.len() + pauses.len() + 1, "a row without a consequence");
    for code in dead {
        let error = refuse("message/send", code, "x");
        assert_eq!((error.kind, error.then), (Kind::Failed, Then::Never), "{code}");
    }
    for code in stops {
        let error = refuse("message/send", code, "x");
        assert_eq!((error.kind, error.then), (Kind::Refused, pause(60, true)), "{code}");
    }
    for (code, seconds) in pauses {
        let error = refuse("message/send", code, "x");
        assert_eq!((error.kind, error.then), (Kind::Unavailable, pause(seconds, false)), "{code}");
    }
    for row in rows(Platform::WeCom) {
        assert_eq!(lookup(Platform::WeCom, row.code), Some(row), "the first row of {}", row.code);
        assert!(
            row.exit() == 0 || refuse("message/send", row.code, "x").kind.exit_code() == row.exit(),
            "{}",
            row.code
        );
    }
    assert!(rows(Platform::WeCom).is_sorted_by_key(|row| row.code));
}

#[test]
fn wecoms_45009_says_when_it_can_go_on() {
    let now_ms = DateTime::parse_from_rfc3339("2026-11-21T13:00:00Z").unwrap().timestamp_millis();
    for (api, errmsg, seconds, hour) in [
        ("webhook/send", "api freq out of limit", 60, "2026-11-21 21:01"),
        ("message/send", "api freq out of limit of hour", 3600, "2026-11-21 22:00"),
        ("message/send", "reach max api daily quota limit", 3 * 3600, "2026-11-22 00:00"),
        ("gettoken", "api freq out of limit", 3600, "2026-11-21 22:00"),
    ] {
        let error = error(&Refusal { platform: Platform::WeCom, api, code: 45009, errmsg, rid: None }, now_ms);
        assert_eq!(error.then, pause(seconds, api == "gettoken"), "{api} {errmsg}");
        let next = error.next.unwrap();
        assert!(next.en.ends_with(&format!("; it can go on at {hour} +08:00")), "{}", next.en);
        assert!(next.zh.ends_with(&format!("；{hour} +08:00 起可继续")), "{}", next.zh);
    }
}
