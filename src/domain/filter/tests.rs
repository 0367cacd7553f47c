#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::{Error, Kind as ErrorKind};
use proptest::prelude::*;

/// 2026-11-21T08:00:00+08:00
const NOW: i64 = 1_795_219_200_000;
const DAY_MS: i64 = 86_400_000;

fn tree(text: &str) -> Filter {
    Filter::parse(text, NOW).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn wrong(text: &str) -> Error {
    let error = Filter::parse(text, NOW).map(|tree| panic!("{text} is {tree:?}")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage, "{text}");
    error
}

fn is(name: &str, check: Check) -> Filter {
    Filter::Is(fields().find(|field| field.name == name).unwrap(), check)
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

#[test]
fn and_binds_closer_than_or_and_not_closest() {
    let [a, b, c] = ["a", "b", "c"].map(|city| is("city", Check::Text(vec![city.into()])));
    let spelt = "city = 'a' or not city = 'b' and city='c'";
    let meant = Filter::Any(vec![a.clone(), Filter::All(vec![not(b.clone()), c.clone()])]);
    assert_eq!(tree(spelt), meant);
    assert_eq!(tree("city = 'a' or (not (city = 'b')) and ((city = 'c'))"), meant);
    assert_eq!(tree("(city='a' OR Not city='b')And city=\"c\""), Filter::All(vec![Filter::Any(vec![a, not(b)]), c]));
}

#[test]
fn an_opposite_is_not_of_the_same() {
    for (one, other) in [
        ("city != 'a'", "not city = 'a'"),
        ("city not in ('a', 'b')", "not city in ('a', 'b')"),
        ("city not known", "not city known"),
        ("tag not has 'vip'", "not tag has 'vip'"),
    ] {
        assert_eq!(tree(one), tree(other));
    }
    assert_eq!(tree("not not sex = 1"), not(not(is("sex", Check::Number(vec![1])))));
}

#[test]
fn values_are_of_the_kind_of_their_field() {
    let range = |from, until| Check::Within(vec![Range { from, until }]);
    let day = 1_793_462_400_000; // 2026-11-01 in Asia/Shanghai
    for (text, field, check) in [
        ("is_followed = yes", "is_followed", Check::Number(vec![1])),
        ("is_followed = FALSE", "is_followed", Check::Number(vec![0])),
        ("is_followed in (1, 0)", "is_followed", Check::Number(vec![1, 0])),
        ("sex = 0", "sex", Check::Number(vec![0])),
        ("id = 7", "id", Check::Number(vec![7])),
        ("id<=7", "id", range(None, Some(8))),
        ("info_attempts > -1", "info_attempts", range(Some(0), None)),
        ("follow_time = 2026-11-01", "follow_time", range(Some(day), Some(day + DAY_MS))),
        ("follow_time < 2026-11-01", "follow_time", range(None, Some(day))),
        ("follow_time <= 2026-11-01", "follow_time", range(None, Some(day + DAY_MS))),
        ("follow_time > 2026-11-01", "follow_time", range(Some(day + DAY_MS), None)),
        ("follow_time >= '2026-11-01'", "follow_time", range(Some(day), None)),
        ("follow_time >= 2026-11-01T00:00:00+08:00", "follow_time", range(Some(day), None)),
        ("follow_time = 2026-10-31T16:00:00.001Z", "follow_time", range(Some(day + 1), Some(day + 2))),
        ("info_due_at < -30d", "info_due_at", range(None, Some(NOW - 30 * DAY_MS))),
        ("created_at >= -2h", "created_at", range(Some(NOW - 7_200_000), None)),
        ("created_at >= -999999999999999d", "created_at", range(Some(0), None)),
        ("created_at <= 9999-12-31", "created_at", range(None, Some(253_402_272_000_000))),
        ("tag has 100", "tag", Check::Tagged(vec![Tag::Id(100)])),
        ("tag in (\"100\", 100)", "tag", Check::Tagged(vec![Tag::Name("100".into()), Tag::Id(100)])),
        (r#"city = "\"\\\n\t\' 😀""#, "city", Check::Text(vec!["\"\\\n\t' 😀".into()])),
        (r"city = 'a''b'", "", Check::Known),
    ] {
        match field {
            "" => drop(wrong(text)),
            _ => assert_eq!(tree(text), is(field, check), "{text}"),
        }
    }
    assert_eq!(tree("tag has 'a' or not (tag in ('b', 3) and sex = 1)").tag_names(), ["a", "b"]);
}

/// (text, column, a part of the sentence or of what to do next)
const MISTAKES: &[(&str, usize, &str)] = &[
    ("", 1, "empty"),
    (" \t", 1, "empty"),
    ("city", 5, "it ends where an operator is expected"),
    ("city =", 7, "it ends where a value is expected"),
    ("city = 广州", 8, "write \"广州\""),
    ("nickname = 3", 12, "write \"3\""),
    ("tag has vip", 9, "write \"vip\""),
    ("city = 'x", 8, "no end"),
    (r"city = 'x\'", 8, "no end"),
    (r"city = 'a\x'", 10, "backslash"),
    ("city = 'a\0'", 10, "NUL"),
    ("ciyt = 'x'", 1, "did you mean city?"),
    ("City = 'x'", 1, "did you mean city?"),
    ("sex = 1 and folow_time > -3d", 13, "did you mean follow_time?"),
    ("qqqqqqqq = 1", 1, "the fields are: account openid"),
    ("id; DROP TABLE user_mapping = 1", 3, "; has no meaning"),
    ("user_mapping.city = 'x'", 1, "no field user_mapping"),
    ("1=1", 1, "a field such as city"),
    ("sex = 1; DROP TABLE user_mapping", 8, "; has no meaning"),
    ("sex = 1 UNION SELECT token FROM access_token", 9, "and, or, or the end"),
    ("sex = (SELECT 1)", 7, "a value is expected"),
    ("openid in (SELECT token FROM access_token)", 12, "write \"SELECT\""),
    ("city = 'a' or 1", 15, "a field such as city"),
    ("sleep(5)", 1, "no field sleep"),
    ("`city` = 'a'", 1, "` has no meaning"),
    ("city = @@version", 8, "@ has no meaning"),
    ("city = 0x41", 8, "write \"0x41\""),
    ("phone = '1'", 1, "CRM"),
    ("source known", 1, "CRM"),
    ("user_id = '1'", 1, "CRM"),
    ("nickname < 'a'", 10, "nickname is text, < does not go with it"),
    ("sex has 'x'", 5, "sex takes = != in known"),
    ("sex > 1", 5, "sex takes = != in known"),
    ("is_followed <= 1", 13, "is yes or no"),
    ("tag = 'vip'", 5, "write tag has \"vip\""),
    ("tag != 'vip'", 5, "write not tag has \"vip\""),
    ("city has 'x'", 6, "= != in known"),
    ("city like '%x%'", 6, "city takes = != in known"),
    ("city is null", 6, "not city known"),
    ("city == 'x'", 6, "write ="),
    ("city <> 'x'", 6, "write !="),
    ("sex = 1 && id = 2", 9, "write and"),
    ("sex = 1 || id = 2", 9, "write or"),
    ("!(sex = 1)", 1, "write not"),
    ("city = “广州”", 8, "straight quotes"),
    ("（sex = 1)", 1, "write ("),
    ("sex ＝ 1", 5, "write ="),
    ("sex = 3", 7, "write 1, 2 or 0"),
    ("sex = 'male'", 7, "write 1, 2 or 0"),
    ("is_followed = maybe", 15, "yes or no"),
    ("is_followed = 2", 15, "yes or no"),
    ("id = 1.5", 6, "a whole number"),
    ("id = 1000000000000000000", 6, "a whole number"),
    ("id = '1'", 6, "write digits"),
    ("follow_time > soon", 15, "2026-11-01"),
    ("follow_time > 30d", 15, "-30d"),
    ("follow_time > 2026-02-30", 15, "it is no time"),
    ("follow_time > 2026-11-01T08:00:00", 15, "it is no time"),
    ("follow_time > 0999-01-01", 15, "1000 to 9999"),
    ("follow_time > 9999-12-31T23:59:59.999Z", 15, "1000 to 9999"),
    ("follow_time = -30d", 15, "compare an age"),
    ("follow_time in (2026-11-01, -2h)", 29, "compare an age"),
    ("city in 'x'", 9, "( and a list"),
    ("city in ()", 10, "a value is expected"),
    ("city in ('x' 'y')", 14, "a comma or )"),
    ("city in ('x',)", 14, "a value is expected"),
    ("city not = 'x'", 10, "in, has or known"),
    ("city not 'x'", 10, "in, has or known"),
    ("(sex = 1", 9, "ends where ) is expected"),
    ("sex = 1)", 8, "no parenthesis is open"),
    ("sex = 1 city = 'x'", 9, "and, or, or the end"),
    ("sex = 1 and", 12, "ends where a field"),
    ("and sex = 1", 1, "no field and"),
    ("'city' = 'x'", 1, "a field such as city"),
    ("city = -- x", 8, "write \"--\""),
    ("city = /* x */ 'y'", 8, "/ has no meaning"),
];

#[test]
fn every_mistake_is_named_at_its_column() {
    for (text, column, said) in MISTAKES {
        let error = wrong(text);
        let next = error.next.as_ref().map_or("", |next| &next.en);
        let whole = format!("{}; {next}", error.what.en);
        assert!(whole.starts_with(&format!("the filter at column {column}: ")), "{text}: {whole}");
        assert!(whole.contains(said), "{text}: {whole}");
        assert!(error.what.zh.starts_with(&format!("过滤条件第 {column} 列：")), "{text}: {}", error.what.zh);
        for chinese in [Some(&error.what.zh), error.next.as_ref().map(|next| &next.zh)].into_iter().flatten() {
            assert!(chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{text}: {chinese}");
        }
        let letter = error.place.as_ref().map(|(_, letter)| letter + 1);
        assert!(letter == Some(*column) || text.trim().is_empty(), "{text}: {letter:?}");
    }
}

#[test]
fn what_is_endless_is_refused_at_once() {
    let deep = |open: &str, count| format!("{}sex = 1", open.repeat(count));
    let closed = |count| format!("{}{}", deep("(", count), ")".repeat(count));
    tree(&closed(DEPTH_MAX - 1));
    tree(&deep("not ", DEPTH_MAX - 1));
    for text in [closed(DEPTH_MAX), deep("not ", DEPTH_MAX), deep("(", 60_000), deep("not(", 15_000)] {
        assert!(wrong(&text).what.en.contains("over 64"), "{}…", &text[..20]);
    }
    for text in
        [deep("(", 100_000), closed(100_000), "\"".repeat(1 << 20), format!("city = '{}'", "广".repeat(1 << 20))]
    {
        let error = wrong(&text);
        assert!(error.what.en.contains("65536 are allowed"), "{error}");
    }
    let tests = |count: usize| vec!["sex = 1"; count].join(" or ");
    tree(&tests(TESTS_MAX));
    assert!(wrong(&tests(TESTS_MAX + 1)).what.en.contains("over 500 tests"));
    let long = wrong(&format!("city = {}", "x".repeat(60_000)));
    assert!(long.what.en.len() < 200, "{long}");
}

proptest! {
    /// Whatever is thrown at it, it answers, and points into the text.
    #[test]
    fn no_text_ends_the_program(text in "\\PC*|[a-z_'\"\\\\()=<>!, 0-9:+-]{0,80}") {
        if let Err(error) = Filter::parse(&text, NOW) {
            let letters = text.chars().count();
            prop_assert!(error.place.is_none_or(|(_, letter)| letter <= letters));
        }
    }

    /// The same of words that mean something.
    #[test]
    fn no_words_end_the_program(words in prop::collection::vec(prop::sample::select(vec![
        "city", "sex", "tag", "follow_time", "id", "not", "and", "or", "in", "has", "known", "(", ")", ",", "=", "!=", "<",
        ">=", "'x'", "\"广州\"", "1", "-2h", "2026-11-01", "yes",
    ]), 0..12)) {
        let text = words.join(" ");
        if let Err(error) = Filter::parse(&text, i64::MAX) {
            prop_assert!(!error.what.en.is_empty());
        }
    }
}
