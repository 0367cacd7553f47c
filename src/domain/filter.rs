//! Filters (`--where`): which people, as a tree. `store/filter.rs` makes SQL of it.
//!
//! A test is true or false, never unknown: `!=` is exactly `not … =`, so that it includes people of whom nothing is
//! known, and an empty text and the sex 0 count as unknown like NULL. Ordering and `has` are false where
//! nothing is known.

mod check;
mod field;
mod lexer;
mod moment;
mod parser;
#[cfg(test)]
mod tests;
mod wrong;

pub use field::{EXPORTED, Field, Kind, columns, fields};

use crate::error::Result;

/// A longer filter is refused.
pub const LENGTH_MAX: usize = 65_536;
/// So deep may parentheses and `not` stand in each other.
pub const DEPTH_MAX: usize = 64;
/// So many tests may stand in it; a list of texts or numbers is one, each time in a list is one.
pub const TESTS_MAX: usize = 500;

/// Which people.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Those of every part.
    All(Vec<Filter>),
    /// Those of any part.
    Any(Vec<Filter>),
    /// Everybody else.
    Not(Box<Filter>),
    /// Those whose field passes.
    Is(&'static Field, Check),
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
        parser::parse(text, now_ms).map_err(|wrong| wrong.in_text(text))
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
