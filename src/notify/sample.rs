//! A member who is nobody: each column of the configuration with a value that it could have.

use serde_json::{Map, Value, json};

/// What columns could hold, by their names; others hold the last.
const VALUES: &[(&str, &str)] = &[
    ("member_no", "TEST001"),
    ("nickname", "测试会员"),
    ("name", "测试会员"),
    ("wechat", "test_wechat"),
    ("phone", "13800138000"),
    ("mobile", "13800138000"),
    ("email", "test@example.com"),
    ("type", "NORMAL"),
    ("gender", "male"),
    ("sex", "male"),
    ("birthday", "1990-01-01"),
    ("city", "上海"),
    ("source", "测试"),
    ("status", "ACTIVE"),
    ("remark", "测试通知，请忽略"),
];
const ANYTHING: &str = "测试";
/// Columns of whole numbers.
const NUMBERS: &[(&str, i64)] = &[("remaining_matches", 1), ("age", 30), ("id", 1)];

/// A sample of these columns; `now` is what a time of the database looks like.
pub fn sample(fields: &[String], now: &str) -> Map<String, Value> {
    let value = |name: &str| match NUMBERS.iter().find(|(known, _)| *known == name) {
        Some((_, number)) => json!(number),
        None if name.ends_with("_at") => json!(now),
        None => json!(VALUES.iter().find(|(known, _)| *known == name).map_or(ANYTHING, |(_, value)| value)),
    };
    fields.iter().map(|name| (name.clone(), value(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_a_value_of_its_kind() {
        let fields = ["member_no", "remaining_matches", "created_at", "favourite_colour"].map(str::to_owned);
        let made = Value::Object(sample(&fields, "2026-11-28 10:00:00"));
        let wanted = json!({
            "member_no": "TEST001", "remaining_matches": 1, "created_at": "2026-11-28 10:00:00",
            "favourite_colour": "测试",
        });
        assert_eq!(made, wanted);
    }
}
