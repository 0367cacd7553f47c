//! Random filters on random rows: each database finds whom plain Rust finds, and `not` finds everybody else.
//! The oracle reads the tree that the text was written from, not the one that was parsed.

#![allow(clippy::unwrap_used)]

use super::super::tests::{Scene, mariadb, sqlite};
use super::super::{FollowerFilter, Statement, Store, Value};
use crate::domain::filter::{Filter, LENGTH_MAX, TESTS_MAX};
use chrono::DateTime;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;

/// 2026-03-01 in Asia/Shanghai begins here.
const DAY: i64 = 1_772_294_400_000;
const DAY_MS: i64 = 86_400_000;
const NOW: i64 = DAY + 10 * DAY_MS;

/// What may go wrong on the way into SQL, and what databases like to take for the same.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "a ",
    "A",
    "á",
    "a\u{301}",
    "ａ",
    "广州",
    "广州 ",
    "😀",
    "'",
    "\"",
    "''",
    "\\",
    "\\'",
    "\\\\",
    "%",
    "_",
    "a%",
    "?",
    ":a",
    "--",
    "/* */",
    "#",
    "' OR '1'='1",
    "x'; DROP TABLE user_mapping; --",
    "\\' OR 1=1 -- ",
    "NULL",
    "\n",
    "\t",
    "\u{1}",
    "\u{2028}",
    "\u{202e}",
    "\u{bf}\u{27}",
];

#[derive(Debug, Clone)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Leaf(Leaf),
}

#[derive(Debug, Clone)]
enum Leaf {
    /// (field, not, values, with `in`)
    Text(&'static str, bool, Vec<&'static str>, bool),
    Known(&'static str, bool),
    Number(&'static str, bool, Vec<i64>, bool),
    Order(&'static str, &'static str, i64),
    /// (field, operator, when)
    Time(&'static str, &'static str, When),
    Times(&'static str, Vec<When>),
    Tag(bool, &'static str),
    Tags(Vec<i64>, Vec<&'static str>),
}

#[derive(Debug, Clone, Copy)]
enum When {
    Day(i64),
    Moment(i64),
    DaysAgo(i64),
}

#[derive(Debug, Clone, Default)]
struct Row {
    id: i64,
    city: Option<&'static str>,
    nickname: Option<&'static str>,
    sex: Option<i64>,
    is_followed: i64,
    follow_time: Option<i64>,
    info_due_at: Option<i64>,
    info_attempts: i64,
    tags: Vec<(i64, &'static str)>,
}

impl When {
    fn span(self) -> (i64, i64) {
        match self {
            When::Day(day) => (DAY + day * DAY_MS, DAY + (day + 1) * DAY_MS),
            When::Moment(ms) => (ms, ms + 1),
            When::DaysAgo(days) => (NOW - days * DAY_MS, NOW - days * DAY_MS + 1),
        }
    }

    fn text(self) -> String {
        match self {
            When::Day(day) => {
                let noon = DateTime::from_timestamp_millis(DAY + day * DAY_MS + DAY_MS / 2).unwrap();
                noon.format("%Y-%m-%d").to_string()
            }
            When::Moment(ms) => {
                DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
            }
            When::DaysAgo(days) => format!("-{days}d"),
        }
    }
}

impl Row {
    fn text(&self, field: &str) -> &'static str {
        match field {
            "city" => self.city,
            _ => self.nickname,
        }
        .unwrap_or("")
    }

    fn number(&self, field: &str) -> i64 {
        match field {
            "sex" => self.sex.unwrap_or(0),
            "is_followed" => self.is_followed,
            "id" => self.id,
            _ => self.info_attempts,
        }
    }

    fn time(&self, field: &str) -> Option<i64> {
        match field {
            "follow_time" => self.follow_time,
            _ => self.info_due_at,
        }
    }
}

fn compare(left: i64, op: &str, (start, end): (i64, i64)) -> bool {
    match op {
        "<" => left < start,
        "<=" => left < end,
        ">" => left >= end,
        ">=" => left >= start,
        "=" => (start..end).contains(&left),
        _ => !(start..end).contains(&left),
    }
}

impl Tree {
    fn finds(&self, row: &Row) -> bool {
        match self {
            Tree::And(parts) => parts.iter().all(|part| part.finds(row)),
            Tree::Or(parts) => parts.iter().any(|part| part.finds(row)),
            Tree::Not(part) => !part.finds(row),
            Tree::Leaf(leaf) => leaf.finds(row),
        }
    }

    /// As a person may write it.
    fn text(&self) -> String {
        let inside = |parts: &[Tree], word: &str| {
            let parts: Vec<_> = parts.iter().map(|part| format!("({})", part.text())).collect();
            parts.join(word)
        };
        match self {
            Tree::And(parts) => inside(parts, " and "),
            Tree::Or(parts) => inside(parts, "\nOR\t"),
            Tree::Not(part) => format!("not ({})", part.text()),
            Tree::Leaf(leaf) => leaf.text(),
        }
    }
}

impl Leaf {
    fn finds(&self, row: &Row) -> bool {
        match self {
            Leaf::Text(field, not, values, _) => values.contains(&row.text(field)) != *not,
            Leaf::Number(field, not, values, _) => values.contains(&row.number(field)) != *not,
            Leaf::Order(field, op, value) => compare(row.number(field), op, (*value, value + 1)),
            Leaf::Time(field, "!=", when) => row.time(field).is_none_or(|time| compare(time, "!=", when.span())),
            Leaf::Time(field, op, when) => row.time(field).is_some_and(|time| compare(time, op, when.span())),
            Leaf::Times(field, whens) => {
                row.time(field).is_some_and(|time| whens.iter().any(|when| compare(time, "=", when.span())))
            }
            Leaf::Tag(not, name) => row.tags.iter().any(|(_, tag)| tag == name) != *not,
            Leaf::Tags(ids, names) => row.tags.iter().any(|(id, name)| ids.contains(id) || names.contains(name)),
            Leaf::Known(field, not) => {
                let known = match *field {
                    "city" | "nickname" => !row.text(field).is_empty(),
                    "sex" => row.number(field) != 0,
                    "follow_time" | "info_due_at" => row.time(field).is_some(),
                    "tag" => !row.tags.is_empty(),
                    _ => true,
                };
                known != *not
            }
        }
    }

    fn text(&self) -> String {
        let listed = |field: &str, not: bool, values: Vec<String>, with_in: bool| match (with_in, not) {
            (false, false) => format!("{field}={}", values[0]),
            (false, true) => format!("{field} != {}", values[0]),
            (true, false) => format!("{field} in ({})", values.join(", ")),
            (true, true) => format!("{field} NOT IN({})", values.join(",")),
        };
        match self {
            Leaf::Text(field, not, values, with_in) => {
                listed(field, *not, values.iter().map(|text| quoted(text)).collect(), *with_in)
            }
            Leaf::Number(field, not, values, with_in) => {
                listed(field, *not, values.iter().map(i64::to_string).collect(), *with_in)
            }
            Leaf::Order(field, op, value) => format!("{field}{op}{value}"),
            Leaf::Time(field, op, when) => format!("{field} {op} {}", when.text()),
            Leaf::Times(field, whens) => listed(field, false, whens.iter().map(|when| when.text()).collect(), true),
            Leaf::Tag(false, name) => format!("tag has {}", quoted(name)),
            Leaf::Tag(true, name) => format!("tag not has {}", quoted(name)),
            Leaf::Tags(ids, names) if names.is_empty() && ids.len() == 1 => format!("tag has {}", ids[0]),
            Leaf::Tags(ids, names) => {
                let tags = ids.iter().map(i64::to_string).chain(names.iter().map(|name| quoted(name)));
                listed("tag", false, tags.collect(), true)
            }
            Leaf::Known(field, false) => format!("{field} known"),
            Leaf::Known(field, true) => format!("{field} not known"),
        }
    }
}

/// In the quotes that need fewer escapes.
fn quoted(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{}{quote}", text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}")))
}

fn texts() -> impl Strategy<Value = &'static str> {
    select(TEXTS)
}

fn moments() -> impl Strategy<Value = i64> {
    // Around the ends of days, in Shanghai and in UTC.
    (-2..12_i64, select(vec![-1, 0, 1, 8 * 3_600_000, 8 * 3_600_000 - 1, 43_200_000]))
        .prop_map(|(day, ms)| DAY + day * DAY_MS + ms)
}

fn whens(ages: bool) -> impl Strategy<Value = When> {
    let whens = prop_oneof![(-2..12_i64).prop_map(When::Day), moments().prop_map(When::Moment)];
    match ages {
        true => prop_oneof![whens, (0..12_i64).prop_map(When::DaysAgo)].boxed(),
        false => whens.boxed(),
    }
}

fn leaves() -> impl Strategy<Value = Leaf> {
    let text_fields = select(vec!["city", "nickname"]);
    let time_fields = || select(vec!["follow_time", "info_due_at"]);
    let order = || select(vec!["<", "<=", ">", ">="]);
    let known = vec!["city", "nickname", "sex", "is_followed", "id", "follow_time", "info_due_at", "created_at", "tag"];
    prop_oneof![
        4 => (text_fields, any::<bool>(), prop::collection::vec(texts(), 1..4), any::<bool>())
            .prop_map(|(field, not, values, many)| Leaf::Text(field, not, shorten(values, many), many)),
        2 => (select(known), any::<bool>()).prop_map(|(field, not)| Leaf::Known(field, not)),
        1 => (any::<bool>(), prop::collection::vec(0..3_i64, 1..3), any::<bool>())
            .prop_map(|(not, values, many)| Leaf::Number("sex", not, shorten(values, many), many)),
        1 => (any::<bool>(), 0..2_i64).prop_map(|(not, value)| Leaf::Number("is_followed", not, vec![value], false)),
        2 => (select(vec!["id", "info_attempts"]), order(), -1..20_i64)
            .prop_map(|(field, op, value)| Leaf::Order(field, op, value)),
        3 => (time_fields(), order(), whens(true)).prop_map(|(field, op, when)| Leaf::Time(field, op, when)),
        2 => (time_fields(), select(vec!["=", "!="]), whens(false))
            .prop_map(|(field, op, when)| Leaf::Time(field, op, when)),
        1 => (time_fields(), prop::collection::vec(whens(false), 1..4))
            .prop_map(|(field, whens)| Leaf::Times(field, whens)),
        2 => (any::<bool>(), texts()).prop_map(|(not, name)| Leaf::Tag(not, name)),
        2 => (prop::collection::vec(1..40_i64, 1..3), prop::collection::vec(texts(), 0..3))
            .prop_map(|(ids, names)| Leaf::Tags(ids, names)),
    ]
}

fn shorten<T>(mut values: Vec<T>, many: bool) -> Vec<T> {
    values.truncate(if many { values.len() } else { 1 });
    values
}

fn trees() -> impl Strategy<Value = Tree> {
    leaves().prop_map(Tree::Leaf).prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Tree::And),
            prop::collection::vec(inner.clone(), 1..5).prop_map(Tree::Or),
            inner.prop_map(|part| Tree::Not(Box::new(part))),
        ]
    })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let maybe_text = || prop::option::weighted(0.8, texts());
    let tags = prop::collection::btree_set(0..TEXTS.len(), 0..3);
    let row = (
        maybe_text(),
        maybe_text(),
        prop::option::of(0..3_i64),
        0..2_i64,
        prop::option::of(moments()),
        prop::option::of(moments()),
        0..9_i64,
        tags,
    );
    let row = row.prop_map(|(city, nickname, sex, is_followed, follow_time, info_due_at, info_attempts, tags)| Row {
        id: 0,
        city,
        nickname,
        sex,
        is_followed,
        follow_time,
        info_due_at,
        info_attempts,
        tags: tags.into_iter().map(|at| (at as i64 + 1, TEXTS[at])).collect(),
    });
    prop::collection::vec(row, 30).prop_map(|mut rows| {
        rows.iter_mut().zip(1..).for_each(|(row, id)| row.id = id);
        rows
    })
}

/// The rows in a database of their own, with another account's that have the same tags.
async fn stored(scene: &Scene, rows: &[Row]) -> Store {
    let store = scene.open().await;
    let mut statements = Vec::new();
    let mut push = |sql: &'static str, args: Vec<Value>| statements.push(Statement { sql: sql.into(), args });
    for (at, name) in TEXTS.iter().enumerate() {
        push(
            "INSERT INTO tag (account, tag_id, name) VALUES ('main', ?, ?)",
            vec![(at as i64 + 1).into(), (*name).into()],
        );
        push("INSERT INTO tag (account, tag_id, name) VALUES ('other', ?, 'a')", vec![(at as i64 + 1).into()]);
    }
    for row in rows {
        let openid = format!("o{}", row.id);
        let time = DateTime::from_timestamp_millis(DAY);
        push(
            "INSERT INTO user_mapping (id, account, openid, city, nickname, sex, is_followed, follow_time, info_due_at, \
             info_attempts, created_at, updated_at) VALUES (?, 'main', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                row.id.into(),
                openid.as_str().into(),
                row.city.into(),
                row.nickname.into(),
                row.sex.into(),
                row.is_followed.into(),
                row.follow_time.and_then(DateTime::from_timestamp_millis).into(),
                row.info_due_at.into(),
                row.info_attempts.into(),
                time.into(),
                time.into(),
            ],
        );
        for (id, _) in &row.tags {
            push("INSERT INTO user_tag VALUES ('main', ?, ?)", vec![openid.as_str().into(), (*id).into()]);
        }
        push("INSERT INTO user_tag VALUES ('other', ?, 3)", vec![openid.as_str().into()]);
    }
    store.commit(statements).await.unwrap();
    store
}

async fn found(store: &Store, text: &str) -> BTreeSet<i64> {
    let matching = Some(Filter::parse(text, NOW).unwrap_or_else(|error| panic!("{error}: {text}")));
    let filter = FollowerFilter { matching, ..FollowerFilter::default() };
    let rows = store.followers_page(&filter, 0, 1000).await.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(store.count_followers(&filter).await.unwrap(), rows.len() as i64, "{text}");
    rows.iter().map(|row| row.id).collect()
}

/// Other cases each day, the same ones within it; or those that WXOPS_TEST_SEED names.
fn runner(cases: u32) -> TestRunner {
    let named = std::env::var("WXOPS_TEST_SEED").ok().and_then(|text| text.parse::<i64>().ok());
    let number = named.unwrap_or(chrono::Utc::now().timestamp() / 86_400);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

async fn the_database_finds_whom_plain_rust_finds(scene: Option<Scene>) {
    let Some(scene) = scene else { return };
    let mut runner = runner(150);
    let rows = rows().new_tree(&mut runner).unwrap().current();
    let store = stored(&scene, &rows).await;
    let everybody: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
    let found =
        |text: &str| tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(found(&store, text)));
    let done = runner.run(&trees(), |tree| {
        let text = tree.text();
        let expected: BTreeSet<i64> = rows.iter().filter(|row| tree.finds(row)).map(|row| row.id).collect();
        let (yes, no) = (found(&text), found(&format!("not ({text})")));
        prop_assert_eq!(&yes, &expected, "{}", text);
        let others: BTreeSet<i64> = everybody.difference(&yes).copied().collect();
        prop_assert_eq!(no, others, "not {}", text);
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}\n{rows:#?}"));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_filters_on_sqlite() {
    the_database_finds_whom_plain_rust_finds(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_filters_on_mariadb() {
    the_database_finds_whom_plain_rust_finds(mariadb().await).await;
}

/// Whatever passes the parser passes the database: as long and as deep as it may be.
async fn the_largest_filters_run(scene: Option<Scene>) {
    let Some(scene) = scene else { return };
    let row = Row { id: 1, city: Some("广州"), nickname: Some("a"), ..Row::default() };
    let store = stored(&scene, &[row]).await;
    let repeated = |start: &str, piece: &str, end: &str| {
        let room = LENGTH_MAX - start.len() - end.len();
        format!("{start}{}{end}", piece.repeat(room / piece.len()))
    };
    let many = |start: &str, piece: &str, end: &str| format!("{start}{}{end}", piece.repeat(TESTS_MAX - 1));
    let nested = (0..31).fold("id=2".to_owned(), |inside, _| format!("({}not {inside})", "id=2 or ".repeat(15)));
    for text in [
        many("", "id=1 or ", "id=2"),
        many("", "id>0 and ", "id>0"),
        many("", "tag has 1 or ", "id=1"),
        many("", "tag has 'a' or ", "id=1"),
        many("follow_time not in (2026-01-01", ",2026-01-01", ")"),
        repeated("not tag in (1", ",2", ")"),
        repeated("not tag in ('x'", ",2,'y'", ")"),
        repeated("id in (1", ",2", ")"),
        repeated("city not in(''", ",''", ")"),
        repeated("city != '", "'; DROP TABLE user_mapping; -- 😀".replace('\'', "\\'").as_str(), "'"),
        nested,
    ] {
        assert_eq!(found(&store, &text).await.len(), 1, "{}…", &text[..40]);
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_filters_run_on_sqlite() {
    the_largest_filters_run(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_filters_run_on_mariadb() {
    the_largest_filters_run(mariadb().await).await;
}
