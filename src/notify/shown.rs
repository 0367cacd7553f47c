//! The columns of a member as people read them: what they are called, and their values.

use super::escape;
use super::mask::{is_masked, mask};
use crate::domain::notice::{Kind, Notice};
use serde_json::Value;

/// What stands for a value that there is not.
pub const NOTHING: &str = "—";
/// Letters of a value in a list of all.
const LETTERS: usize = 60;
/// The column that tells two members apart for people.
const NUMBER: &str = "member_no";

/// What columns are called; one that is not in here keeps its name.
const LABELS: &[(&str, &str)] = &[
    ("member_no", "编号"),
    ("nickname", "昵称"),
    ("name", "姓名"),
    ("wechat", "微信"),
    ("phone", "电话"),
    ("mobile", "手机"),
    ("email", "邮箱"),
    ("type", "类型"),
    ("gender", "性别"),
    ("sex", "性别"),
    ("birthday", "生日"),
    ("age", "年龄"),
    ("city", "城市"),
    ("source", "来源"),
    ("remark", "备注"),
    ("status", "状态"),
    ("remaining_matches", "剩余次数"),
    ("created_at", "登记时间"),
    ("updated_at", "更新时间"),
];

/// Words that stand for something in every CRM.
const WORDS: &[(&str, &str)] = &[("male", "男"), ("female", "女")];

/// A column and its value, ready for people but not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The column.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// Its value, masked where it is a number to call.
    pub value: String,
}

/// The columns that say something, the member's number first.
pub fn rows(notice: &Notice, fields: &[String]) -> Vec<Row> {
    let row = |name: &str| {
        let value = notice.payload.get(name)?;
        let text = plain(value).filter(|text| !text.trim().is_empty())?;
        Some(Row {
            name: name.to_owned(),
            label: label(name).to_owned(),
            value: escape::cut(&shown(name, &text), LETTERS),
        })
    };
    let number = row(NUMBER).unwrap_or_else(|| Row {
        name: "member_id".into(),
        label: "会员 ID".into(),
        value: notice.member_id.to_string(),
    });
    let others = fields.iter().filter(|name| *name != NUMBER).filter_map(|name| row(name));
    std::iter::once(number).chain(others).collect()
}

/// What a notice is about.
pub fn headline(kind: Kind) -> &'static str {
    match kind {
        Kind::New => "新会员登记",
        Kind::Changed => "会员资料变更",
        Kind::Status => "会员状态变更",
    }
}

/// What a column is called.
pub fn label(name: &str) -> &str {
    LABELS.iter().find(|(known, _)| *known == name).map_or(name, |(_, label)| label)
}

/// A value as text; `None` for NULL.
pub fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(yes) => Some(if *yes { "是" } else { "否" }.to_owned()),
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A time of a database without its seconds, where it is one: `2026-11-28 10:00`.
pub fn minute(text: &str) -> String {
    let digits = |range: std::ops::Range<usize>| {
        text.as_bytes().get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let sign = |at: usize, signs: &[u8]| text.as_bytes().get(at).is_some_and(|sign| signs.contains(sign));
    let day = digits(0..4) && sign(4, b"-") && digits(5..7) && sign(7, b"-") && digits(8..10);
    let time = sign(10, b" T") && digits(11..13) && sign(13, b":") && digits(14..16) && sign(16, b":");
    // With a zone it is not the clock's time of here.
    let bare = text.bytes().skip(16).all(|c| c.is_ascii_digit() || c == b':' || c == b'.');
    if day && time && bare { format!("{} {}", &text[..10], &text[11..16]) } else { text.to_owned() }
}

fn shown(name: &str, text: &str) -> String {
    if is_masked(name) {
        return mask(text);
    }
    let word = WORDS.iter().find(|(word, _)| *word == text).map_or(text, |(_, shown)| shown);
    minute(word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_known_is_shown_in_the_order_of_the_configuration() {
        let payload = json!({
            "member_no": "A1", "nickname": "", "wechat": null, "phone": "13800138000", "gender": "male", "vip": true,
            "created_at": "2026-11-28 10:00:30.000000", "remaining_matches": 3,
        });
        let notice = Notice {
            id: 7,
            member_id: 12,
            kind: Kind::New,
            payload: payload.as_object().unwrap().clone(),
            created_ms: 0,
        };
        let fields: Vec<String> =
            ["nickname", "wechat", "phone", "gender", "member_no", "vip", "created_at", "remaining_matches", "gone"]
                .map(str::to_owned)
                .to_vec();
        let told: Vec<_> =
            rows(&notice, &fields).into_iter().map(|row| format!("{}={}", row.label, row.value)).collect();
        assert_eq!(
            told,
            ["编号=A1", "电话=138****8000", "性别=男", "vip=是", "登记时间=2026-11-28 10:00", "剩余次数=3"]
        );
        let bare = Notice { payload: serde_json::Map::new(), ..notice };
        assert_eq!(rows(&bare, &fields)[0].value, "12", "a member without a number has its id");
    }

    #[test]
    fn seconds_are_left_out_where_there_are_any() {
        for (text, shown) in [
            ("2026-11-28 10:00:30.000000", "2026-11-28 10:00"),
            ("2026-11-28T10:00:30", "2026-11-28 10:00"),
            ("2026-11-28T10:00:30Z", "2026-11-28T10:00:30Z"),
            ("2026-11-28", "2026-11-28"),
            ("编号2026", "编号2026"),
            ("", ""),
        ] {
            assert_eq!(minute(text), shown);
        }
    }
}
