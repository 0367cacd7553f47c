//! `[[queue.rule]]`: who is told of which members, by which way and in which words. The first rule that fits is the one
//! that counts, as with a filter of mail; what it does not say is as `[queue]` has it.

use super::{TemplateFile, Ways, Words};
use crate::config::layers::Layers;
use crate::config::listed::{Item, Listed};
use crate::config::origins::{Origins, Shown};
use crate::domain::filter::{Column, Filter};
use crate::domain::notice::{Form, Kind, Recipient, Via};
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which members; without it all.
    pub when: Option<Filter<Column>>,
    /// What happened to them; empty is anything.
    pub kinds: Vec<Kind>,
    /// Who is told; `None` is whoever is told without a rule.
    pub to: Option<Vec<Recipient>>,
    /// The column that holds the userid of who is told, such as the member's consultant; where it is empty, `to` counts.
    pub to_column: Option<String>,
    /// In which words.
    pub words: Words,
    /// By which way.
    pub ways: Ways,
    /// The line it begins on.
    pub line: usize,
}

/// Reads all rules. `otherwise` is what `[queue]` says; `fields` are what they may ask about.
pub(in crate::config) fn rules(
    layers: &Layers<'_>,
    (words, ways): (&Words, Ways),
    fields: &[String],
    origins: &mut Origins,
) -> Result<Vec<Rule>> {
    let tables = layers.file.iter().flat_map(|file| &file.rules);
    let read = |(at, table)| {
        let reader = Reader { layers, table };
        reader.note(at + 1, origins);
        reader.rule(words, ways, fields)
    };
    tables.enumerate().map(read).collect()
}

struct Reader<'a> {
    layers: &'a Layers<'a>,
    table: &'a Listed,
}

impl Reader<'_> {
    fn rule(&self, words: &Words, ways: Ways, fields: &[String]) -> Result<Rule> {
        if self.table.items.is_empty() {
            return Err(self.error("when", say!("the rule says nothing"; "规则为空")));
        }
        let rule = Rule {
            when: self.when(fields)?,
            kinds: self.kinds()?,
            to: self.to()?,
            to_column: self.to_column(fields)?,
            words: self.words(words)?,
            ways: self.ways(ways)?,
            line: self.table.line,
        };
        match rule.ways.misfit(rule.words.form) {
            Some(why) => Err(self.error("message", why)),
            None => Ok(rule),
        }
    }

    fn when(&self, fields: &[String]) -> Result<Option<Filter<Column>>> {
        let Some(text) = self.table.text("when") else { return Ok(None) };
        Filter::over(text.reveal(), fields).map(Some).map_err(|wrong| {
            let place = wrong.place.clone();
            let mut error = self.error("when", wrong.what);
            error.next = wrong.next;
            error.place = place;
            error
        })
    }

    fn kinds(&self) -> Result<Vec<Kind>> {
        let wrong =
            || self.error("kinds", say!("may hold only new, changed and status"; "只能含 new、changed 和 status"));
        let list = self.table.list("kinds").unwrap_or_default();
        list.iter().map(|word| Kind::parse(word).ok_or_else(wrong)).collect()
    }

    fn to(&self) -> Result<Option<Vec<Recipient>>> {
        let Some(list) = self.table.list("to") else { return Ok(None) };
        Recipient::list(&list.join("|")).map(Some).map_err(|wrong| self.wrap("to", wrong))
    }

    fn to_column(&self, fields: &[String]) -> Result<Option<String>> {
        let Some(name) = self.table.text("to_column").map(Secret::reveal) else { return Ok(None) };
        match fields.iter().find(|field| field.as_str() == name) {
            Some(field) => Ok(Some(field.clone())),
            None => {
                let known = fields.join(", ");
                let error = self.error("to_column", say!("{name:?} is not among fields"; "{name:?} 不在 fields 之列"));
                Err(error.next(say!("there is {known}"; "现有 {known}")))
            }
        }
    }

    fn words(&self, otherwise: &Words) -> Result<Words> {
        let form = self.table.text("message").map(|text| form(text.reveal())).transpose();
        let form = form.map_err(|wrong| self.wrap("message", wrong))?;
        let template = self.table.text("template").map(|path| {
            let (key, origin) = (self.table.full("", "template"), self.table.origin(self.layers, "template"));
            TemplateFile::new(self.layers, path.reveal(), key, origin)
        });
        Ok(match (form, template) {
            (None, None) => otherwise.clone(),
            // The file of [queue] is written for its own form.
            (Some(form), None) if form == otherwise.form => otherwise.clone(),
            (form, template) => Words { form: form.unwrap_or(otherwise.form), template },
        })
    }

    fn ways(&self, otherwise: Ways) -> Result<Ways> {
        let read = |key: &str| {
            let text = self.table.text(key).map(|text| via(text.reveal())).transpose();
            text.map_err(|wrong| self.wrap(key, wrong))
        };
        let (first, second) = (read("via")?, read("fallback")?);
        Ok(Ways::new(first.unwrap_or(otherwise.via), second.or(otherwise.fallback)))
    }

    fn wrap(&self, key: &str, wrong: Error) -> Error {
        let mut error = self.error(key, wrong.what);
        error.next = wrong.next;
        error
    }

    fn error(&self, key: &str, why: Text) -> Error {
        self.table.error(self.layers, ("", key), why)
    }

    /// What `doctor --origins` shows, and by which a reload knows what changed.
    fn note(&self, number: usize, origins: &mut Origins) {
        for (key, (item, _)) in &self.table.items {
            let text = match item {
                Item::Text(text) => text.reveal().to_owned(),
                Item::List(list) => list.join("|"),
                Item::Number(_) | Item::Flag(_) => continue,
            };
            let (full, origin) = (format!("queue.rule.{number}.{key}"), self.table.origin(self.layers, key));
            origins.note(&full, origin, Some(Secret::new(text)), Shown::Plain);
        }
    }
}

/// The form of a message.
pub(super) fn form(text: &str) -> Result<Form> {
    Form::parse(text).ok_or_else(|| {
        let known = Form::ALL.map(Form::as_str).join(", ");
        Error::config(say!("must be one of {known}"; "应为以下之一：{known}"))
    })
}

/// By which way.
pub(super) fn via(text: &str) -> Result<Via> {
    Via::parse(text).ok_or_else(|| Error::config(say!("must be app or robot"; "应为 app 或 robot")))
}
