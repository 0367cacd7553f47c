//! Templates: MiniJinja over the columns of a member. A name that there is not is refused when the template is read; a
//! column without a value is `—`. Every value is escaped for the form of the message (`escape.rs`) whatever filter it has
//! passed, and there is no filter that takes this back.

use super::mask;
use super::shown::{self, NOTHING};
use super::{Escape, escape};
use crate::config::TemplateFile;
use crate::domain::near::near;
use crate::domain::notice::{Form, Notice};
use crate::error::{Error, Result, Text, Then};
use crate::say;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior};
use regex::Regex;
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of a template file.
const LONGEST: u64 = 64 * 1024;
/// Steps of one rendering; a loop over all columns takes some hundred.
const FUEL: u64 = 200_000;
/// What a template has beside the columns.
const OURS: [&str; 3] = ["headline", "notice", "rows"];
/// What `notice` has.
const OF_NOTICE: [&str; 3] = ["id", "kind", "member_id"];
/// What would put a text past the escaping, or escapes for pages of the web.
const NO_FILTERS: [&str; 4] = ["safe", "escape", "e", "pprint"];
/// The block of a card whose values stand in an address.
const ADDRESS: &str = "url";

/// The only template of its environment.
const NAME: &str = "template";

/// A template, read and compiled.
#[derive(Debug)]
pub struct Template {
    env: Environment<'static>,
    fields: Vec<String>,
    /// Where it stands; `None` of one that is built in.
    path: Option<String>,
}

impl Template {
    /// What is built in for a form; `None` for cards, which lead somewhere that only a template knows.
    pub fn built_in(form: Form, fields: &[String]) -> Option<Template> {
        let source = match form {
            Form::Text => include_str!("words/text.txt"),
            Form::Markdown => include_str!("words/markdown.md"),
            Form::MarkdownV2 => include_str!("words/markdown_v2.md"),
            Form::TextCard | Form::TemplateCard => return None,
        };
        let env = environment(form, source).ok()?;
        Some(Template { env, fields: fields.to_vec(), path: None })
    }

    /// Reads a file; what is wrong with it is exit 78, with its line.
    pub fn open(file: &TemplateFile, form: Form, fields: &[String]) -> Result<Template> {
        let source = read(file)?;
        let path = file.path.display().to_string();
        let env = environment(form, &source).map_err(|error| file.error(words(&error, &path)))?;
        let template = Template { env, fields: fields.to_vec(), path: Some(path) };
        template.check(file, form, &source)?;
        Ok(template)
    }

    /// The whole of it, for a notice.
    pub fn text(&self, notice: &Notice) -> Result<String> {
        let render = || self.env.get_template(NAME)?.render(self.context(notice));
        render().map_err(|error| self.fails(notice, &error))
    }

    /// Those of these blocks that it has.
    pub fn blocks(&self, names: &[&'static str], notice: &Notice) -> Result<BTreeMap<&'static str, String>> {
        self.render_blocks(names, self.context(notice)).map_err(|error| self.fails(notice, &error))
    }

    fn render_blocks(
        &self,
        names: &[&'static str],
        context: Value,
    ) -> std::result::Result<BTreeMap<&'static str, String>, minijinja::Error> {
        let template = self.env.get_template(NAME)?;
        let mut whole = template.render_captured(context)?;
        let mut blocks = BTreeMap::new();
        for name in names {
            match whole.with_state_mut(|state| state.render_block(name)) {
                Ok(text) => _ = blocks.insert(*name, text.trim().to_owned()),
                Err(error) if error.kind() == ErrorKind::UnknownBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(blocks)
    }

    /// Every configured column, also where the row was made before it was configured.
    fn context(&self, notice: &Notice) -> Value {
        let column = |name: &String| {
            let value = notice.payload.get(name).map_or_else(|| Value::from(()), of_json);
            (name.clone(), value)
        };
        let rows: Vec<Value> = shown::rows(notice, &self.fields)
            .into_iter()
            .map(|row| Value::from_pairs([("name", row.name), ("label", row.label), ("value", row.value)]))
            .collect();
        let about = Value::from_pairs([
            ("id", Value::from(notice.id)),
            ("member_id", Value::from(notice.member_id)),
            ("kind", Value::from(notice.kind.word())),
        ]);
        let ours = [
            ("headline".to_owned(), Value::from(shown::headline(notice.kind))),
            ("notice".to_owned(), about),
            ("rows".to_owned(), Value::from(rows)),
        ];
        Value::from_pairs(self.fields.iter().map(column).chain(ours))
    }

    /// A template that can't be rendered for this one row: the row is dead, and says why.
    fn fails(&self, notice: &Notice, error: &minijinja::Error) -> Error {
        let id = notice.id;
        let Text { en, zh } = words(error, self.path.as_deref().unwrap_or_default());
        Error::config(say!("notice {id} can't be put into words: {en}"; "通知 {id} 无法生成消息：{zh}"))
            .then(Then::Never)
            .next(say!(
                "mend the template, then run wxops queue retry {id}";
                "请改正模板，然后执行 wxops queue retry {id}"
            ))
    }

    /// Looks for names that there are not, in every branch; then renders it once, for what only shows then.
    fn check(&self, file: &TemplateFile, form: Form, source: &str) -> Result<()> {
        let path = file.path.display();
        let wrong = |line: usize, why: Text| {
            let Text { en, zh } = why;
            file.error(say!("line {line} of {path}: {en}"; "{path} 第 {line} 行：{zh}"))
        };
        let template = self.env.get_template(NAME).map_err(|error| file.error(words(&error, &path.to_string())))?;
        let globals: Vec<&str> = self.env.globals().map(|(name, _)| name).collect();
        let known = || self.fields.iter().map(String::as_str).chain(OURS);
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort();
        for full in &names {
            let (name, rest) = full.split_once('.').map_or((full.as_str(), None), |(name, rest)| (name, Some(rest)));
            let of_notice = rest.filter(|_| name == "notice").map(|rest| rest.split('.').next().unwrap_or_default());
            if let Some(part) = of_notice.filter(|part| !OF_NOTICE.contains(part)) {
                let known = OF_NOTICE.join(" ");
                let why = say!("notice has no {part}; it has {known}"; "notice 没有 {part}；可用：{known}");
                return Err(wrong(line_of(source, part), why));
            }
            if known().any(|known| known == name)
                || globals.contains(&name)
                || matches!(name, "self" | "super" | "loop")
            {
                continue;
            }
            let error = wrong(
                line_of(source, name),
                say!("there is no field {name} in [queue] fields"; "[queue] 的 fields 中没有字段 {name}"),
            );
            return Err(match near(name, known()) {
                Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
                None => {
                    let known = known().collect::<Vec<_>>().join(" ");
                    error.next(say!("there are {known}"; "可用：{known}"))
                }
            });
        }
        self.check_blocks(form, source, &wrong)?;
        match self.env.get_template(NAME).and_then(|template| template.render(self.sample())) {
            Err(error) if is_a_slip(error.kind()) => Err(file.error(words(&error, &path.to_string()))),
            _ => Ok(()),
        }
    }

    /// The parts of a card are blocks with the card's own names.
    fn check_blocks(&self, form: Form, source: &str, wrong: &dyn Fn(usize, Text) -> Error) -> Result<()> {
        if !form.is_card() {
            return Ok(());
        }
        let known = super::message::parts(form);
        let Ok(block) = Regex::new(r"\{%[-+]?\s*block\s+(\w+)") else { return Ok(()) };
        let mut there = Vec::new();
        for found in block.captures_iter(source) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { continue };
            let line = 1 + source[..whole.start()].matches('\n').count();
            let name = name.as_str();
            if !known.contains(&name) {
                let (form, all) = (form.as_str(), known.join(" "));
                let error = wrong(line, say!("a {form} has no block {name}"; "{form} 没有名为 {name} 的 block"));
                return Err(match near(name, known.iter().copied()) {
                    Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
                    None => error.next(say!("there are {all}"; "可用：{all}")),
                });
            }
            there.push(name);
        }
        let form_name = form.as_str();
        for needed in super::message::needed(form) {
            if !there.contains(needed) {
                return Err(wrong(
                    1,
                    say!("a {form_name} needs a {{% block {needed} %}}"; "{form_name} 需要 {{% block {needed} %}}"),
                ));
            }
        }
        Ok(())
    }

    /// A member of whom everything is known.
    fn sample(&self) -> Value {
        let payload = self.fields.iter().map(|name| (name.clone(), serde_json::Value::from("1"))).collect();
        let kind = crate::domain::notice::Kind::New;
        self.context(&Notice { id: 1, member_id: 1, kind, payload, created_ms: 0 })
    }
}

/// What a template can't mean. Other failures may lie in the sample, such as a sum over a text.
fn is_a_slip(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::UndefinedError
            | ErrorKind::TemplateNotFound
            | ErrorKind::BadInclude
            | ErrorKind::MissingArgument
            | ErrorKind::TooManyArguments
            | ErrorKind::OutOfFuel
    )
}

fn read(file: &TemplateFile) -> Result<String> {
    let path = file.path.display();
    let unread = |e: std::io::Error| {
        file.error(match e.kind() {
            std::io::ErrorKind::NotFound => say!("there is no file {path}"; "没有文件 {path}"),
            std::io::ErrorKind::InvalidData => say!("{path} is not UTF-8"; "{path} 不是 UTF-8 编码"),
            _ => say!("{path} can't be read: {e}"; "无法读取 {path}：{e}"),
        })
    };
    let size = std::fs::metadata(&file.path).map_err(unread)?.len();
    if size > LONGEST {
        return Err(
            file.error(say!("{path} has {size} bytes, {LONGEST} are allowed"; "{path} 有 {size} 字节，最多 {LONGEST}"))
        );
    }
    std::fs::read_to_string(&file.path).map_err(unread)
}

/// An environment with this one template.
fn environment(form: Form, source: &str) -> std::result::Result<Environment<'static>, minijinja::Error> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // Tags on lines of their own leave nothing behind.
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // What a template gathers with `set` is escaped already; only a form of one's own is neither HTML nor nothing.
    env.set_auto_escape_callback(|_| AutoEscape::Custom("wecom".into()));
    let marks = matches!(form, Form::Markdown | Form::MarkdownV2);
    env.set_formatter(move |out, state, value| write(out, state, value, marks));
    for name in NO_FILTERS {
        env.remove_filter(name);
    }
    env.add_filter("mask", |value: &Value| on_text(value, mask::mask));
    env.add_filter("minute", |value: &Value| on_text(value, shown::minute));
    env.add_filter("cut", |value: &Value, letters: usize| on_text(value, |text| escape::cut(text, letters)));
    env.add_filter("word", word);
    env.add_filter("urlencode", |value: &Value| match text_of(value) {
        Some(text) => Value::from_safe_string(escape::address(&text)),
        None => Value::from(""),
    });
    env.add_template_owned(NAME, source.to_owned())?;
    Ok(env)
}

/// Prints a value: nobody's text is a mark.
fn write(out: &mut Output, state: &mut State, value: &Value, marks: bool) -> std::result::Result<(), minijinja::Error> {
    let address = state.current_block() == Some(ADDRESS);
    let text = match text_of(value) {
        None if address => return Ok(()),
        None => NOTHING.to_owned(),
        Some(text) if value.is_safe() => text,
        Some(text) => escape::value(
            &text,
            match (address, marks) {
                (true, _) => Escape::Address,
                (false, true) => Escape::Marks,
                (false, false) => Escape::Plain,
            },
        ),
    };
    out.write_str(&text).map_err(minijinja::Error::from)
}

/// The value as people read it; `None` where there is none.
fn text_of(value: &Value) -> Option<String> {
    if value.is_none() || value.is_undefined() {
        return None;
    }
    if let Ok(yes) = bool::try_from(value.clone()) {
        return shown::plain(&yes.into());
    }
    Some(value.to_string())
}

/// A column's value for a template.
fn of_json(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::from(()),
        Json::Bool(yes) => Value::from(*yes),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => Value::from(list.iter().map(of_json).collect::<Vec<_>>()),
        Json::Object(map) => Value::from_pairs(map.iter().map(|(name, value)| (name.as_str(), of_json(value)))),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (_, Some(whole)) => Value::from(whole),
            _ => Value::from(number.as_f64().unwrap_or_default()),
        },
    }
}

/// A filter of texts leaves what is not there as it is.
fn on_text(value: &Value, change: impl Fn(&str) -> String) -> Value {
    text_of(value).map_or_else(|| value.clone(), |text| Value::from(change(&text)))
}

/// `{{ gender|word(male="男", female="女") }}`: the word for the value, or the value.
fn word(value: &Value, words: Kwargs) -> std::result::Result<Value, minijinja::Error> {
    let Some(text) = text_of(value) else { return Ok(value.clone()) };
    let mut found = None;
    for name in words.args().map(str::to_owned).collect::<Vec<_>>() {
        let shown: Value = words.get(&name)?;
        if name == text {
            found = Some(shown);
        }
    }
    Ok(found.unwrap_or_else(|| value.clone()))
}

/// The line that first has this word.
fn line_of(source: &str, name: &str) -> usize {
    let word = |line: &str| {
        let of_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut at = 0;
        while let Some(found) = line[at..].find(name) {
            let (start, end) = (at + found, at + found + name.len());
            let alone = !line[..start].ends_with(of_word) && !line[end..].starts_with(of_word);
            if alone {
                return true;
            }
            at = end;
        }
        false
    };
    // In a template that has it as text first, the line with a brace is meant.
    let lines = || source.lines().enumerate().filter(|(_, line)| word(line));
    let braced = lines().find(|(_, line)| line.contains("{{") || line.contains("{%"));
    braced.or_else(|| lines().next()).map_or(1, |(at, _)| at + 1)
}

/// MiniJinja's words about an error, with its line.
fn words(error: &minijinja::Error, path: &str) -> Text {
    let line = error.line().unwrap_or(1);
    let kind = error.kind();
    let why = error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"));
    match Path::new(path).file_name() {
        Some(_) => say!("line {line} of {path}: {why}"; "{path} 第 {line} 行：{why}"),
        None => say!("{why}"; "{why}"),
    }
}
