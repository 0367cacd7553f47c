//! `[queue]`: which members are told of, and what of them; whom, by which way, and in which words.

mod rule;

pub use rule::Rule;

use super::Read;
use super::database;
use super::keys::{self, Setting};
use super::layers::{GLOBAL, Layers};
use super::source::{Layer, Origin, Value};
use super::values;
use crate::domain::account::WeCom;
use crate::domain::near::near;
use crate::domain::notice::{Form, Kind, Recipient, Source, Via};
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Times that a message is sent at the most.
const ATTEMPTS: std::ops::RangeInclusive<u32> = 1..=20;
/// Longest identifier of MySQL, in letters.
const NAME_MAX: usize = 64;
/// What is not told of as a change: it changes with every other column, or has a kind of its own.
const NO_CHANGE: [&str; 1] = ["updated_at"];

/// How long notifications may be gathered: beyond a day nobody calls it news.
const DIGEST_LEAST: Duration = Duration::from_secs(10);
const DIGEST_MOST: Duration = Duration::from_secs(86_400);
/// How often a daemon makes a whole pass.
const INTERVAL_LEAST: Duration = Duration::from_secs(60);
const INTERVAL_MOST: Duration = Duration::from_secs(86_400);

/// How new members come into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Capture {
    /// By a trigger on their table.
    #[default]
    Trigger,
    /// By looking for new ids: for a database that allows no trigger.
    Poll,
}

impl Capture {
    /// As it is configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Capture::Trigger => "trigger",
            Capture::Poll => "poll",
        }
    }

    /// The capture of that name.
    pub fn parse(text: &str) -> Option<Capture> {
        [Capture::Trigger, Capture::Poll].into_iter().find(|capture| capture.as_str() == text)
    }
}

/// What was configured of the queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The CRM's database; `None`: it is our own.
    pub database_url: Option<Secret>,
    /// The table of the members.
    pub members_table: String,
    /// The column of it that holds a member's number.
    pub id_column: String,
    /// The columns that go into a notification.
    pub fields: Vec<String>,
    /// What is told of.
    pub kinds: Vec<Kind>,
    /// The columns whose change is told of (kind changed).
    pub changed: Vec<String>,
    /// The column whose change is told of as the kind status.
    pub status_column: String,
    /// How new members come into the queue.
    pub capture: Capture,
    /// Times that a message is sent before it is given up.
    pub max_attempts: u32,
    /// The WeCom application that sends; `None` is the only one there is.
    pub account: Option<String>,
    /// Who is told where no rule says otherwise: the application's `to_user`.
    pub to: Vec<Recipient>,
    /// By which way, where no rule says otherwise.
    pub ways: Ways,
    /// In which words, where no rule says otherwise.
    pub words: Words,
    /// Who else is told, and how: the first that fits counts.
    pub rules: Vec<Rule>,
    /// For so long notifications are kept, to be told of in one message; `None`: each at once.
    pub digest: Option<Duration>,
    /// Whether `serve` sends them too.
    pub in_serve: bool,
    /// Between two passes of a daemon.
    pub monitor_interval: Duration,
}

/// By which ways a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// By which it is tried.
    pub via: Via,
    /// By which after a known failure; another one.
    pub fallback: Option<Via>,
}

/// In which words something is told.
#[derive(Debug, Clone)]
pub struct Words {
    /// The form of the message.
    pub form: Form,
    /// The file that says it; `None`: what is built in.
    pub template: Option<TemplateFile>,
}

/// A template as the configuration names it; nobody has looked into it yet.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// Where it is; a relative one is beside the TOML file.
    pub path: PathBuf,
    /// As it is written.
    pub name: String,
    key: String,
    origin: Origin,
}

impl Ways {
    fn new(via: Via, fallback: Option<Via>) -> Ways {
        Ways { via, fallback: fallback.filter(|other| *other != via) }
    }

    /// Why messages of this form can't go out so. A fall-back takes the nearest form it has.
    fn misfit(self, form: Form) -> Option<Text> {
        let (form_name, via) = (form.as_str(), self.via.as_str());
        (!form.goes(self.via)).then(|| say!("via = {via:?} has no {form_name}"; "via = {via:?} 不能发送 {form_name}"))
    }
}

impl TemplateFile {
    fn new(layers: &Layers<'_>, path: &str, key: String, origin: Origin) -> TemplateFile {
        let folder = layers.file.as_ref().and_then(|file| file.path.parent()).unwrap_or(Path::new("."));
        TemplateFile { path: folder.join(path), name: path.to_owned(), key, origin }
    }

    /// A complaint about the key that names the file.
    pub fn error(&self, why: Text) -> Error {
        let (key, origin) = (self.key.clone(), self.origin.clone());
        Value { key, text: Secret::new(""), origin, layer: Layer::File }.error(why)
    }
}

pub(super) fn queue(read: &mut Read<'_>, wecoms: &[WeCom]) -> Result<Queue> {
    let database_url = read.parsed(&keys::QUEUE_DATABASE_URL, url)?;
    let fields = read.or_default(&keys::QUEUE_FIELDS, names)?;
    let status_column = read.or_default(&keys::QUEUE_STATUS, name)?;
    let told = |field: &&String| !NO_CHANGE.contains(&field.as_str()) && **field != status_column;
    let changed = read.parsed(&keys::QUEUE_CHANGED, names)?;
    let app = app(read, wecoms)?;
    let via = read.or_default(&keys::QUEUE_VIA, rule::via)?;
    let ways = Ways::new(via, read.parsed(&keys::QUEUE_FALLBACK, rule::via)?);
    let words = words(read)?;
    if let (Some(why), Some(form)) = (ways.misfit(words.form), read.layers.get(&keys::QUEUE_MESSAGE, GLOBAL)?) {
        return Err(form.error(why));
    }
    let queue = Queue {
        database_url,
        account: app.map(|app| app.name.clone()),
        to: app.and_then(|app| app.to_user.as_deref()).map_or(Ok(Vec::new()), Recipient::list)?,
        rules: rule::rules(read.layers, (&words, ways), &fields, read.origins)?,
        ways,
        words,
        digest: read.or_default(&keys::QUEUE_DIGEST, digest)?,
        in_serve: read.or_default(&keys::QUEUE_IN_SERVE, values::switch)?,
        monitor_interval: read.or_default(&keys::QUEUE_INTERVAL, interval)?,
        members_table: read.or_default(&keys::QUEUE_MEMBERS, name)?,
        id_column: read.or_default(&keys::QUEUE_ID, name)?,
        changed: changed.unwrap_or_else(|| fields.iter().filter(told).cloned().collect()),
        fields,
        kinds: read.or_default(&keys::QUEUE_KINDS, kinds)?,
        status_column,
        capture: read.or_default(&keys::QUEUE_CAPTURE, capture)?,
        max_attempts: read.or_default(&keys::QUEUE_ATTEMPTS, attempts)?,
    };
    match (queue.check_capture(queue.capture), read.layers.get(&keys::QUEUE_KINDS, GLOBAL)?) {
        (Err(error), Some(kinds)) => Err(kinds.wrap(error)),
        (done, _) => done.map(|()| queue),
    }
}

impl Queue {
    /// Whether somebody is to be told.
    pub fn tells(&self) -> bool {
        self.account.is_some() && (!self.to.is_empty() || !self.rules.is_empty())
    }

    /// Every template that is named.
    pub fn templates(&self) -> impl Iterator<Item = &TemplateFile> {
        let of_rules = self.rules.iter().filter_map(|rule| rule.words.template.as_ref());
        self.words.template.iter().chain(of_rules)
    }

    /// The members, and what is told of them.
    pub fn source(&self) -> Source {
        Source {
            table: self.members_table.clone(),
            id: self.id_column.clone(),
            fields: self.fields.clone(),
            kinds: self.kinds.clone(),
            changed: self.changed.clone(),
            status: self.status_column.clone(),
            max_attempts: self.max_attempts,
        }
    }

    /// Refuses kinds that a capture can't see.
    pub fn check_capture(&self, capture: Capture) -> Result<()> {
        match capture == Capture::Poll && self.kinds != [Kind::New] {
            false => Ok(()),
            true => Err(Error::config(say!(
                "polling sees new members alone, not changes: with capture = \"poll\" only new is possible";
                "轮询只能发现新会员，看不到变更：capture = \"poll\" 时只能用 new"
            ))),
        }
    }
}

/// The application that sends: the one that is named, or the only one.
fn app<'a>(read: &mut Read<'_>, wecoms: &'a [WeCom]) -> Result<Option<&'a WeCom>> {
    let named = read.parsed(&keys::QUEUE_ACCOUNT, |text| Ok(text.to_owned()))?;
    let (Some(named), Some(value)) = (named, read.layers.get(&keys::QUEUE_ACCOUNT, GLOBAL)?) else {
        return Ok(if let [only] = wecoms { Some(only) } else { None });
    };
    let found = wecoms.iter().find(|app| app.name == named);
    found.map(Some).ok_or_else(|| {
        let error = value.error(say!("there is no [wecom.{named}]"; "没有 [wecom.{named}]"));
        match near(&named, wecoms.iter().map(|app| app.name.as_str())) {
            Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
            None => error,
        }
    })
}

fn words(read: &mut Read<'_>) -> Result<Words> {
    let form = read.or_default(&keys::QUEUE_MESSAGE, rule::form)?;
    read.parsed(&keys::QUEUE_TEMPLATE, |_| Ok(()))?;
    let setting: &Setting = &keys::QUEUE_TEMPLATE;
    let template = read.layers.get(setting, GLOBAL)?.map(|value| {
        let (key, origin) = (value.key.clone(), value.origin.clone());
        TemplateFile::new(read.layers, value.text.reveal(), key, origin)
    });
    Ok(Words { form, template })
}

/// For how long notifications are gathered; `off`: not at all.
fn digest(text: &str) -> Result<Option<Duration>> {
    if text == "off" {
        return Ok(None);
    }
    let length = values::duration(text)?;
    match (DIGEST_LEAST..=DIGEST_MOST).contains(&length) {
        true => Ok(Some(length)),
        false => Err(Error::config(say!("must be off, or 10s to 1d"; "应为 off，或 10s 至 1d"))),
    }
}

/// Between two passes: minutes, or a length of time with its unit.
fn interval(text: &str) -> Result<Duration> {
    let length = match text.parse::<u64>() {
        Ok(minutes) => Duration::from_secs(minutes.saturating_mul(60)),
        Err(_) => values::duration(text)?,
    };
    match (INTERVAL_LEAST..=INTERVAL_MOST).contains(&length) {
        true => Ok(length),
        false => Err(Error::config(say!("must be 1 to 1440 minutes"; "应为 1 至 1440 分钟"))),
    }
}

fn url(text: &str) -> Result<Secret> {
    database::check(text).map(|()| Secret::new(text))
}

/// The name of a table or column. It stands quoted in SQL; a quote in it would end it.
fn name(text: &str) -> Result<String> {
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let count = text.chars().count();
    match (1..=NAME_MAX).contains(&count) && text.chars().all(letter) {
        true => Ok(text.to_owned()),
        false => Err(Error::config(say!(
            "not the name of a table or column: 1 to 64 letters, digits, _ or $";
            "不是表名或列名：应为 1 至 64 个字母、数字、_ 或 $"
        ))),
    }
}

/// Names by commas, each once.
fn names(text: &str) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for one in listed(text) {
        let one = name(one)?;
        if all.iter().any(|known| known.eq_ignore_ascii_case(&one)) {
            return Err(Error::config(say!("{one} is in it twice"; "{one} 出现了两次")));
        }
        all.push(one);
    }
    match all.is_empty() {
        true => Err(Error::config(say!("names no column"; "没有列名"))),
        false => Ok(all),
    }
}

fn kinds(text: &str) -> Result<Vec<Kind>> {
    let wrong = || Error::config(say!("may hold only new, changed and status"; "只能含 new、changed 和 status"));
    let mut all = listed(text).map(|one| Kind::parse(one).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
    all.sort();
    all.dedup();
    if all.is_empty() { Err(wrong()) } else { Ok(all) }
}

fn capture(text: &str) -> Result<Capture> {
    Capture::parse(text).ok_or_else(|| Error::config(say!("must be trigger or poll"; "应为 trigger 或 poll")))
}

fn attempts(text: &str) -> Result<u32> {
    let number = text.parse().ok().filter(|number| ATTEMPTS.contains(number));
    number.ok_or_else(|| Error::config(say!("must be a whole number from 1 to 20"; "应为 1 至 20 的整数")))
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_quoted_words_and_each_once() {
        assert_eq!(names("member_no, 昵称,a$1").unwrap(), ["member_no", "昵称", "a$1"]);
        for wrong in ["", ",", "a b", "a`b", "a,A", "crm.members", &"x".repeat(65)] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kinds_stand_in_one_order() {
        assert_eq!(kinds("status, new, new").unwrap(), [Kind::New, Kind::Status]);
        assert!(kinds("").is_err() && kinds("new, gone").is_err());
    }
}
