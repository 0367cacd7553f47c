//! Filters: which people (`--where`), as a tree of which `store/filter.rs` makes SQL; and which rows of a table of
//! somebody else's, whose columns the configuration names (`when` of a rule): `column.rs` looks at those in memory. The
//! two are different types, so that no name from outside ever becomes SQL.
//!
//! A test is true or false, never unknown: `!=` is exactly `not … =`, so that it includes people of whom nothing is
//! known, and an empty text and the sex 0 count as unknown like NULL. Ordering and `has` are false where
//! nothing is known.

mod check;
mod column;
mod field;
mod lexer;
mod moment;
mod parser;
#[cfg(test)]
mod tests;
mod wrong;

pub use column::Column;
pub use field::{EXPORTED, Field, Kind, columns, fields};

use crate::error::{Result, Text};
use crate::say;

/// A longer filter is refused.
pub const LENGTH_MAX: usize = 65_536;
/// So deep may parentheses and `not` stand in each other.
pub const DEPTH_MAX: usize = 64;
/// So many tests may stand in it; a list of texts or numbers is one, each time in a list is one.
pub const TESTS_MAX: usize = 500;

/// Which people, or which rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter<F = &'static Field> {
    /// Those of every part.
    All(Vec<Filter<F>>),
    /// Those of any part.
    Any(Vec<Filter<F>>),
    /// Everybody else.
    Not(Box<Filter<F>>),
    /// Those whose field passes.
    Is(F, Check),
}

/// A field as a filter asks of it.
pub trait Asked: Clone {
    /// As it is written.
    fn name(&self) -> &str;

    /// What it holds.
    fn kind(&self) -> Kind;

    /// The same, where its first value told what it holds.
    fn of_kind(self, kind: Kind) -> Self;
}

/// The closed table in which a filter's names are looked up.
trait Fields {
    type Field: Asked;

    /// The field of that name.
    fn find(&self, name: &str) -> Option<Self::Field>;

    /// All names there are.
    fn names(&self) -> Vec<&str>;

    /// Why a name that might be one is none.
    fn why_not(&self, name: &str) -> Option<Text>;

    /// A field and a test, for people who are shown how to write one.
    fn example(&self) -> (&str, String);

    /// What ages count back from, in milliseconds; `None` where there are no ages.
    fn now_ms(&self) -> Option<i64>;
}

/// The people of user_mapping, at this time.
struct People {
    now_ms: i64,
}

impl Fields for People {
    type Field = &'static Field;

    fn find(&self, name: &str) -> Option<&'static Field> {
        fields().find(|field| field.name == name)
    }

    fn names(&self) -> Vec<&str> {
        fields().map(|field| field.name).collect()
    }

    fn why_not(&self, word: &str) -> Option<Text> {
        field::CRM.contains(&word).then(|| {
            say!(
                "{word} is the CRM's, and no CRM is mapped: this version can't yet";
                "{word} 来自 CRM，而 CRM 尚未接入：本版本还不支持"
            )
        })
    }

    fn example(&self) -> (&str, String) {
        ("city", "sex = 2".into())
    }

    fn now_ms(&self) -> Option<i64> {
        Some(self.now_ms)
    }
}

/// What is asked of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// There is a value.
    Known,
    /// The text is one of these.
    Text(Vec<String>),
    /// The number is one of these.
    Number(Vec<i64>),
    /// The number, or the time in milliseconds, is in one of these.
    Within(Vec<Range>),
    /// One of these tags is there.
    Tagged(Vec<Tag>),
}

/// From, and up to but without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first that passes.
    pub from: Option<i64>,
    /// The first that does not pass any more.
    pub until: Option<i64>,
}

/// A tag as a filter names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// By its name.
    Name(String),
    /// By its number.
    Id(i64),
}

impl Filter {
    /// Reads a filter; ages count back from `now_ms`. What is wrong is exit 2 and points at the letter.
    pub fn parse(text: &str, now_ms: i64) -> Result<Filter> {
        parser::parse(text, &People { now_ms }).map_err(|wrong| wrong.in_text(text))
    }

    /// The names of tags that it asks for.
    pub fn tag_names(&self) -> Vec<&str> {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(Filter::tag_names).collect(),
            Filter::Not(part) => part.tag_names(),
            Filter::Is(_, Check::Tagged(tags)) => tags.iter().filter_map(Tag::name).collect(),
            Filter::Is(..) => Vec::new(),
        }
    }
}

impl Tag {
    /// Its name, where it is named so.
    pub fn name(&self) -> Option<&str> {
        match self {
            Tag::Name(name) => Some(name),
            Tag::Id(_) => None,
        }
    }

    /// Its number, where it is named so.
    pub fn id(&self) -> Option<i64> {
        match self {
            Tag::Name(_) => None,
            Tag::Id(id) => Some(*id),
        }
    }
}
