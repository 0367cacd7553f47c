//! One thing explained: what it is, why, who acts, what the program does, what to do and to run.

use crate::error::{Lang, Text};
use crate::platform::errcode::{Step, Who};
use crate::report::Report;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// Columns of a label.
const LABEL: usize = 10;

/// An explanation in both languages.
#[derive(Debug, Clone)]
pub(super) struct Explained {
    /// What kind of thing it is: `errcode`, `exit`, `signal`, `reason`, `cause`, `message`.
    pub kind: &'static str,
    /// Its name: `40164`, `signature`.
    pub name: String,
    /// Its title, such as the platform's own words.
    pub title: Text,
    /// Why it happens.
    pub cause: Text,
    /// What the program does about it.
    pub does: Text,
    /// What a person does about it.
    pub mend: Text,
    /// Who acts, and what they type or open.
    pub step: Step,
    /// The command, filled in.
    pub command: Option<String>,
    /// The id of the request, where it can be looked up.
    pub rid: Option<String>,
    /// Whether it is in a table at all.
    pub known: bool,
    /// Further fields for programs.
    pub more: Value,
    /// What the same number means on the other platform.
    pub also: Option<Box<Explained>>,
}

impl Explained {
    /// Whose meaning it is, of one that stands below another.
    fn place(&self) -> &str {
        self.more["platform"].as_str().unwrap_or_default()
    }

    /// What is to be run, or where to look.
    fn run(&self, lang: Lang) -> String {
        let words = Text::from(self.step.words);
        let words = words.in_lang(lang);
        let next = match (&self.command, lang) {
            (Some(command), Lang::En) => format!("{command} ({words})"),
            (Some(command), Lang::Zh) => format!("{command}（{words}）"),
            (None, _) => words.to_owned(),
        };
        match (&self.rid, lang) {
            (Some(rid), Lang::En) => format!("{next}; wxops explain {rid} (the request itself, for 7 days)"),
            (Some(rid), Lang::Zh) => format!("{next}；wxops explain {rid}（请求本身，保留 7 天）"),
            (None, _) => next,
        }
    }
}

/// `label  text`, the texts below each other.
pub(super) fn line(label: &str, text: &str) -> String {
    let gap = LABEL.saturating_sub(label.width()).max(1);
    format!("\n{label}{}{text}", " ".repeat(gap))
}

impl Report for Explained {
    fn json(&self) -> Value {
        let both = |text: &Text| json!({ "en": text.en, "zh": text.zh });
        let mut value = json!({
            "kind": self.kind,
            "name": self.name,
            "known": self.known,
            "title": both(&self.title),
            "cause": both(&self.cause),
            "who": self.step.who.as_str(),
            "who_acts": both(&self.step.who.words().into()),
            "does": both(&self.does),
            "mend": both(&self.mend),
            "command": self.command,
            "next": { "en": self.run(Lang::En), "zh": self.run(Lang::Zh) },
        });
        if let (Value::Object(value), Value::Object(more)) = (&mut value, &self.more) {
            value.extend(more.clone());
        }
        if let Some(also) = &self.also {
            value["also"] = also.json();
        }
        value
    }

    fn text(&self, lang: Lang) -> String {
        let who: Text = Who::words(self.step.who).into();
        let labels = match lang {
            Lang::En => ["cause", "who acts", "wxops", "mend", "next"],
            Lang::Zh => ["原因", "谁处理", "wxops", "处理", "下一步"],
        };
        let run = self.run(lang);
        let texts = [&self.cause, &who, &self.does, &self.mend].map(|text| text.in_lang(lang));
        let lines = labels.iter().zip(texts.into_iter().chain([run.as_str()]));
        let head = format!("{}  {}", self.name, self.title.in_lang(lang));
        let own = lines.fold(head, |shown, (label, text)| shown + &line(label, text));
        match &self.also {
            Some(also) => format!("{own}\n\n{}: {}", also.place(), also.text(lang)),
            None => own,
        }
    }
}
