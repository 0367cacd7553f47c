//! A filter as SQL: column names from the closed table of `domain/filter`, everything else as bound arguments.
//! Every test is true or false, never NULL, so that NOT is the exact opposite.

#[cfg(test)]
mod tests;

use super::Dialect;
use super::value::{Value, places};
use crate::domain::filter::{Check, Field, Filter, Kind, Range, Tag};
use chrono::DateTime;

/// The tags of the person of a row.
const TAGS: &str = "SELECT 1 FROM user_tag WHERE user_tag.account = user_mapping.account \
     AND user_tag.openid = user_mapping.openid";
/// The same with their names.
const NAMED_TAGS: &str = "SELECT 1 FROM user_tag JOIN tag ON tag.account = user_tag.account \
     AND tag.tag_id = user_tag.tag_id WHERE user_tag.account = user_mapping.account \
     AND user_tag.openid = user_mapping.openid";

/// What stands behind WHERE, `?` for each argument, and the arguments in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Condition {
    pub sql: String,
    pub args: Vec<Value>,
}

impl Condition {
    /// Narrows further by SQL of our own.
    pub fn and(&mut self, sql: &str, arg: Option<Value>) {
        self.word("AND");
        self.sql.push_str(sql);
        self.args.extend(arg);
    }

    /// Narrows further by a filter.
    pub fn and_filter(&mut self, filter: &Filter, dialect: Dialect) {
        self.word("AND");
        self.filter(filter, dialect);
    }

    fn word(&mut self, word: &str) {
        if !self.sql.is_empty() {
            self.sql.push_str(&format!(" {word} "));
        }
    }

    fn filter(&mut self, filter: &Filter, dialect: Dialect) {
        match filter {
            Filter::All(parts) => self.join(parts, "AND", &mut |to, part| to.filter(part, dialect)),
            Filter::Any(parts) => self.join(parts, "OR", &mut |to, part| to.filter(part, dialect)),
            Filter::Not(part) => {
                self.sql.push_str("NOT (");
                self.filter(part, dialect);
                self.sql.push(')');
            }
            Filter::Is(field, check) => self.check(field, check, dialect),
        }
    }

    /// `((a AND b) AND (c AND d))`. In halves, because SQLite bounds the depth of an expression, and a plain
    /// chain is as deep as it is long.
    fn join<T>(&mut self, parts: &[T], word: &str, add: &mut dyn FnMut(&mut Self, &T)) {
        if let [part] = parts {
            return add(self, part);
        }
        let (left, right) = parts.split_at(parts.len() / 2);
        self.sql.push('(');
        self.join(left, word, add);
        self.word(word);
        self.join(right, word, add);
        self.sql.push(')');
    }

    fn check(&mut self, field: &Field, check: &Check, dialect: Dialect) {
        let Field { name, kind } = field;
        match (check, kind) {
            (Check::Known, Kind::Tag) => self.sql.push_str(&format!("EXISTS ({TAGS})")),
            (Check::Known, Kind::Text) => self.sql.push_str(&format!("{} <> ''", dialect.exact_text(name))),
            (Check::Known, Kind::Sex) => self.sql.push_str("COALESCE(sex, 0) <> 0"),
            (Check::Known, _) => self.sql.push_str(&format!("{name} IS NOT NULL")),
            (Check::Text(texts), _) => self.one_of(&dialect.exact_text(name), texts.iter().map(|text| text.as_str())),
            (Check::Number(numbers), Kind::Sex) => self.one_of("COALESCE(sex, 0)", numbers.iter().copied()),
            (Check::Number(numbers), _) => self.one_of(name, numbers.iter().copied()),
            (Check::Within(ranges), _) => self.join(ranges, "OR", &mut |to, range| to.within(field, range)),
            (Check::Tagged(tags), _) => self.join(tags, "OR", &mut |to, tag| to.tagged(tag, dialect)),
        }
    }

    fn one_of<V: Into<Value>>(&mut self, what: &str, values: impl ExactSizeIterator<Item = V>) {
        let equal = match values.len() {
            1 => format!("{what} = ?"),
            count => format!("{what} IN ({})", places(count)),
        };
        self.sql.push_str(&equal);
        self.args.extend(values.map(Into::into));
    }

    fn within(&mut self, field: &Field, range: &Range) {
        let (name, bounds) = (field.name, [(" >= ?", range.from), (" < ?", range.until)]);
        self.sql.push_str(&format!("({name} IS NOT NULL"));
        for (sign, bound) in bounds {
            let Some(bound) = bound else { continue };
            self.and(&format!("{name}{sign}"), Some(in_column(field.kind, bound)));
        }
        self.sql.push(')');
    }

    fn tagged(&mut self, tag: &Tag, dialect: Dialect) {
        let (tags, what, value) = match tag {
            Tag::Name(name) => (NAMED_TAGS, dialect.exact_text("tag.name"), name.as_str().into()),
            Tag::Id(id) => (TAGS, "user_tag.tag_id".to_owned(), (*id).into()),
        };
        self.sql.push_str(&format!("EXISTS ({tags} AND {what} = ?)"));
        self.args.push(value);
    }
}

/// A bound as the column holds it: times that people read are no numbers.
fn in_column(kind: Kind, bound: i64) -> Value {
    match kind {
        Kind::Time => DateTime::from_timestamp_millis(bound).into(),
        _ => bound.into(),
    }
}
