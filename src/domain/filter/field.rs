//! What a filter may ask about: a closed table, so that no name from outside ever becomes SQL.

use super::Asked;
use crate::error::Text;
use crate::say;

/// A column of user_mapping, or `tag`.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The column's name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds; decides which operators and values go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; the empty one counts as unknown.
    Text,
    /// 1 male, 2 female; 0 counts as unknown.
    Sex,
    /// Yes or no.
    Flag,
    /// A whole number, always known.
    Number,
    /// A time people read.
    Time,
    /// A due time, kept in milliseconds.
    Due,
    /// The tags of a person: no column, two tables.
    Tag,
    /// A number with up to six decimals, in millionths.
    Decimal,
    /// Whatever the first value it is compared with is.
    Any,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// The columns of an export, in its order.
pub const EXPORTED: &[Field] = &[
    field("account", Kind::Text),
    field("openid", Kind::Text),
    field("unionid", Kind::Text),
    field("nickname", Kind::Text),
    field("avatar_url", Kind::Text),
    field("sex", Kind::Sex),
    field("city", Kind::Text),
    field("province", Kind::Text),
    field("country", Kind::Text),
    field("language", Kind::Text),
    field("subscribe_scene", Kind::Text),
    field("qr_scene", Kind::Text),
    field("remark", Kind::Text),
    field("is_followed", Kind::Flag),
    field("follow_time", Kind::Time),
    field("unfollow_time", Kind::Time),
    field("created_at", Kind::Time),
    field("updated_at", Kind::Time),
    field("erased_at", Kind::Time),
];

/// The columns that an export has only where they are named: the program's own.
pub const FURTHER: &[Field] = &[
    field("id", Kind::Number),
    field("qr_scene_time", Kind::Time),
    field("info_due_at", Kind::Due),
    field("info_attempts", Kind::Number),
    field("info_lease", Kind::Number),
    field("info_error", Kind::Text),
];

const TAG: &Field = &field("tag", Kind::Tag);

/// What the CRM knows of a person; a filter has them only where the CRM is mapped.
pub const CRM: [&str; 3] = ["phone", "source", "user_id"];

/// Every column, those of an export first.
pub fn columns() -> impl Iterator<Item = &'static Field> {
    EXPORTED.iter().chain(FURTHER)
}

/// Every field of a filter.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    columns().chain([TAG])
}

impl Asked for &'static Field {
    fn name(&self) -> &str {
        self.name
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn of_kind(self, _kind: Kind) -> Self {
        self
    }
}

impl Kind {
    /// `nickname is …`.
    pub(super) fn what(self) -> Text {
        match self {
            Kind::Text => say!("text"; "文本"),
            Kind::Sex => say!("1 (male), 2 (female) or 0 (unknown)"; "性别（1 男、2 女、0 未知）"),
            Kind::Flag => say!("yes or no"; "布尔值（1 或 0）"),
            Kind::Number => say!("a whole number"; "整数"),
            Kind::Time | Kind::Due => say!("a time"; "时间"),
            Kind::Tag => say!("a set of tags"; "一组标签"),
            Kind::Decimal => say!("a number"; "数字"),
            Kind::Any => say!("text, a number, a time, or yes or no"; "文本、数字、时间或布尔值"),
        }
    }

    /// The operators that go with it, for people.
    pub(super) fn operators(self) -> &'static str {
        match self {
            Kind::Text | Kind::Sex | Kind::Flag => "= != in known",
            Kind::Number | Kind::Time | Kind::Due | Kind::Decimal | Kind::Any => "= != < <= > >= in known",
            Kind::Tag => "has in known",
        }
    }

    /// How a value of it is written.
    pub(super) fn example(self) -> Text {
        match self {
            Kind::Text => say!("write text in quotes, such as \"广州\""; "文本请加引号，例如 \"广州\""),
            Kind::Sex => say!("write 1, 2 or 0"; "请写 1、2 或 0"),
            Kind::Flag => say!("write 1 or 0, yes or no, true or false"; "请写 1 或 0、yes 或 no、true 或 false"),
            Kind::Number => say!("write digits, such as 100"; "请写数字，例如 100"),
            Kind::Time | Kind::Due => say!(
                "write 2026-11-01, -30d or 2026-11-01T08:00:00+08:00";
                "请写 2026-11-01、-30d 或 2026-11-01T08:00:00+08:00"
            ),
            Kind::Decimal => say!("write a number, such as 3 or 12.50"; "请写数字，例如 3 或 12.50"),
            Kind::Any => say!("write \"text\", 3, 2026-11-01 or yes"; "请写 \"文本\"、3、2026-11-01 或 yes"),
            Kind::Tag => {
                say!("write a tag's name in quotes, such as \"vip\", or its id"; "请写加引号的标签名，例如 \"vip\"，或标签 id")
            }
        }
    }
}
