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
            Filter::All(parts) => self.join(parts, "AND", |to, part| to.filter(part, dialect)),
            Filter::Any(parts) => self.join(parts, "OR", |to, part| to.filter(part, dialect)),
            Filter::Not(part) => {
                self.sql.push_str("NOT (");
                self.filter(part, dialect);
                self.sql.push(')');
            }
            Filter::Is(field, check) => self.check(field, check, dialect),
        }
    }

    /// `(a AND b AND c)`. To SQLite a chain is as deep as it is long, and it bounds the depth: so does the parser.
    fn join<T>(&mut self, parts: &[T], word: &str, mut add: impl FnMut(&mut Self, &T)) {
        if let [part] = parts {
            return add(self, part);
        }
        self.sql.push('(');
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.word(word);
            }
            add(self, part);
        }
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
            (Check::Within(ranges), _) => self.join(ranges, "OR", |to, range| to.within(field, range)),
            (Check::Tagged(tags), _) => self.tagged(tags, dialect),
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

    fn tagged(&mut self, tags: &[Tag], dialect: Dialect) {
        let (name, id) = (dialect.exact_text("tag.name"), "user_tag.tag_id".to_owned());
        let names = tags.iter().filter_map(Tag::name).map(Value::from).collect();
        let ids = tags.iter().filter_map(Tag::id).map(Value::from).collect();
        let kinds: [(&str, String, Vec<Value>); 2] = [(NAMED_TAGS, name, names), (TAGS, id, ids)];
        let asked: Vec<_> = kinds.into_iter().filter(|(.., values)| !values.is_empty()).collect();
        self.join(&asked, "OR", |to, (tags, what, values)| {
            to.sql.push_str(&format!("EXISTS ({tags} AND "));
            to.one_of(what, values.iter().cloned());
            to.sql.push(')');
        });
    }
}

/// A bound as the column holds it: times that people read are no numbers.
fn in_column(kind: Kind, bound: i64) -> Value {
    match kind {
        Kind::Time => DateTime::from_timestamp_millis(bound).into(),
        _ => bound.into(),
    }
}
