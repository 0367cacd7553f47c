//! A filter over columns that the configuration names, looked at in memory. What a column holds is not known before: the
//! first value it is compared with says it, and a value of the row is read as that: `3`, `"3"` and `3.0` are one number.

use super::check::{flag, millionths};
use super::field::Kind;
use super::moment::SHANGHAI_S;
use super::{Asked, Check, Fields, Filter, Range, parser};
use crate::error::{Error, Result, Text};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A whole number from here on is a time in milliseconds, below it in seconds: the year 1973, and 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// A column of a row, and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    name: String,
    kind: Kind,
}

impl Asked for Column {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn of_kind(self, kind: Kind) -> Self {
        Column { kind, ..self }
    }
}

/// The columns that there are.
struct Columns<'a>(&'a [String]);

impl Fields for Columns<'_> {
    type Field = Column;

    fn find(&self, name: &str) -> Option<Column> {
        self.0.iter().find(|known| *known == name).map(|name| Column { name: name.clone(), kind: Kind::Any })
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    fn why_not(&self, _name: &str) -> Option<Text> {
        None
    }

    fn example(&self) -> (&str, String) {
        let first = self.0.first().map_or("type", String::as_str);
        (first, format!("{first} = \"VIP\""))
    }

    fn now_ms(&self) -> Option<i64> {
        None
    }
}

impl Filter<Column> {
    /// Reads a filter over these columns. There are no ages in it, for a row must pass tomorrow as it passes today.
    pub fn over(text: &str, columns: &[String]) -> Result<Self, Error> {
        parser::parse(text, &Columns(columns)).map_err(|wrong| wrong.in_text(text))
    }

    /// Whether the row passes. A column that it does not have is one of which nothing is known.
    pub fn passes(&self, row: &Map<String, Value>) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.passes(row)),
            Filter::Any(parts) => parts.iter().any(|part| part.passes(row)),
            Filter::Not(part) => !part.passes(row),
            Filter::Is(column, check) => {
                let value = row.get(&column.name).unwrap_or(&Value::Null);
                check_one(column.kind, check, value)
            }
        }
    }
}

fn check_one(kind: Kind, check: &Check, value: &Value) -> bool {
    match check {
        Check::Known => !text(value).is_empty(),
        // An empty text counts as unknown, and `= ""` finds it; of NULL nothing is found, as in SQL.
        Check::Text(texts) => !value.is_null() && texts.iter().any(|one| *one == text(value)),
        Check::Number(numbers) => number(kind, value).is_some_and(|number| numbers.contains(&number)),
        Check::Within(ranges) => {
            let number = number(kind, value);
            number.is_some_and(|number| ranges.iter().any(|range| range.holds(number)))
        }
        Check::Tagged(_) => false,
    }
}

impl Range {
    fn holds(&self, number: i64) -> bool {
        self.from.is_none_or(|from| from <= number) && self.until.is_none_or(|until| number < until)
    }
}

/// The value as people read it; nothing for NULL.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// The value as its kind counts: millionths, milliseconds since 1970, or yes and no.
fn number(kind: Kind, value: &Value) -> Option<i64> {
    let text = text(value);
    let text = text.trim();
    match kind {
        Kind::Flag => flag(text),
        Kind::Time => time(text),
        _ => match value {
            Value::Bool(yes) => Some(i64::from(*yes) * 1_000_000),
            _ => millionths(text).or_else(|| huge(text)),
        },
    }
}

/// What is too large for millionths is larger than all that it may be compared with; `1e3` is a number too.
fn huge(text: &str) -> Option<i64> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    #[allow(clippy::cast_possible_truncation)]
    Some((number * 1_000_000.0) as i64)
}

/// A day or a time as databases write it, of Asia/Shanghai unless it says otherwise; or the seconds or milliseconds
/// since 1970.
fn time(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(if number.abs() < MILLISECONDS { number.saturating_mul(1_000) } else { number });
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let naive = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN)))?;
    let zone = FixedOffset::east_opt(SHANGHAI_S)?;
    naive.and_local_timezone(zone).single().map(|time| time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn columns() -> Vec<String> {
        ["member_no", "type", "remaining_matches", "created_at", "vip", "phone"].map(str::to_owned).to_vec()
    }

    fn row(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn passes(filter: &str, value: &Value) -> bool {
        Filter::over(filter, &columns()).unwrap().passes(&row(value.clone()))
    }

    #[test]
    fn values_are_read_as_the_filter_means_them() {
        let one = json!({
            "member_no": "A1", "type": "VIP", "remaining_matches": "12.50", "vip": 1, "phone": null,
            "created_at": "2026-11-28 00:30:00.000000",
        });
        for (filter, expected) in [
            ("type = 'VIP'", true),
            ("type = \"vip\"", false),
            ("type in ('NORMAL', 'VIP') and not phone known", true),
            ("phone = ''", false),
            ("phone != 'x'", true),
            ("remaining_matches > 12", true),
            ("remaining_matches >= 13", false),
            ("remaining_matches <= 12.5", true),
            ("remaining_matches = 12.5", true),
            ("remaining_matches = '12.50'", true),
            ("remaining_matches in (1, 12.5)", true),
            ("remaining_matches < -3", false),
            ("vip = yes", true),
            ("vip = 1", true),
            ("vip = '1'", true),
            ("vip != no", true),
            ("created_at = 2026-11-28", true),
            ("created_at < 2026-11-28", false),
            ("created_at >= 2026-11-27T16:30:00Z", true),
            ("created_at > 2026-11-27T16:30:00Z", false),
            ("phone > 3", false),
            ("not phone > 3", true),
            ("member_no > 3", false),
        ] {
            assert_eq!(passes(filter, &one), expected, "{filter}");
        }
        for value in [json!(3), json!("3"), json!("3.0"), json!(3.0), json!(" 3 "), json!("+3")] {
            assert!(passes("remaining_matches = 3", &json!({ "remaining_matches": value })), "{value}");
        }
        for value in [json!(true), json!("true"), json!("1"), json!("YES")] {
            assert!(passes("vip = yes", &json!({ "vip": value })), "{value}");
        }
        let huge = json!({ "remaining_matches": "1234567890123456789" });
        assert!(passes("remaining_matches > 9000000000000", &huge));
        assert!(passes("remaining_matches = '1234567890123456789'", &huge));
        for value in [json!(1_795_800_600), json!(1_795_800_600_000_i64), json!("2026-11-28T00:30:00+08:00")] {
            assert!(passes("created_at = 2026-11-28", &json!({ "created_at": value })), "{value}");
        }
        assert!(!passes("vip known", &json!({})), "a column that the row does not have");
    }

    #[test]
    fn mistakes_are_named_at_their_column() {
        for (text, says) in [
            ("", "write such as member_no = \"VIP\""),
            ("tpye = 'VIP'", "did you mean type?"),
            ("nickname = 'x'", "the fields are: member_no type"),
            ("type = VIP", "write \"VIP\""),
            ("type > 'A'", "text has no order"),
            ("type in ('A', 3)", "write \"3\""),
            ("created_at > -2h", "write a day"),
            ("remaining_matches > 1.2.3", "it is no time"),
            ("vip has 'x'", "takes = != < <= > >= in known"),
            ("type = 'A'; DROP TABLE members", "; has no meaning"),
        ] {
            let error = Filter::over(text, &columns()).unwrap_err();
            let whole = format!("{}; {}", error.what.en, error.next.as_ref().map_or("", |next| &next.en));
            assert!(whole.starts_with("the filter at column "), "{text}: {whole}");
            assert!(whole.contains(says), "{text}: {whole}");
        }
    }

    /// Any JSON that a database may make of a column.
    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e15..1e15).prop_map(|number: f64| json!(number)),
            "\\PC{0,12}".prop_map(Value::from),
            (-10_000i64..10_000, 0u32..1_000_000).prop_map(|(whole, rest)| json!(format!("{whole}.{rest:06}"))),
        ]
    }

    proptest! {
        /// Whatever stands in a row, a test and its opposite never agree, and an order is one.
        #[test]
        fn a_test_is_true_or_false(value in values(), bound in -10_000i64..10_000, word in "[a-z]{0,3}") {
            let row = row(json!({ "type": value }));
            let is = |filter: String| Filter::over(&filter, &columns()).unwrap().passes(&row);
            for test in [format!("type = '{word}'"), format!("type = {bound}"), format!("type < {bound}"), "type known".into()] {
                prop_assert_ne!(is(test.clone()), is(format!("not {test}")), "{}", test);
            }
            let ordered = [format!("type < {bound}"), format!("type = {bound}"), format!("type > {bound}")];
            let held = ordered.iter().filter(|test| is((*test).clone())).count();
            prop_assert!(held <= 1, "{:?}", row);
            prop_assert_eq!(is(format!("type <= {bound}")), is(ordered[0].clone()) || is(ordered[1].clone()));
            if row["type"].is_number() {
                prop_assert_eq!(held, 1);
            }
        }

        /// What is written with two decimals is compared as it is written.
        #[test]
        fn decimals_are_exact(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000) {
            let text = |n: i64| format!("{}{}.{:02}", if n < 0 { "-" } else { "" }, n.abs() / 100, n.abs() % 100);
            let row = row(json!({ "type": text(a) }));
            let is = |sign: &str| Filter::over(&format!("type {sign} {}", text(b)), &columns()).unwrap().passes(&row);
            prop_assert_eq!((is("<"), is("="), is(">"), is(">=")), (a < b, a == b, a > b, a >= b));
        }
    }
}
