//! The rules and templates of the configuration, checked and compiled once: from a notice to the very bytes of a request.

use super::digest;
use super::message::{self, Content};
use super::template::Template;
use crate::config::{Config, Queue, Rule, Ways, Words};
use crate::domain::account::WeCom;
use crate::domain::notice::{Form, Notice, Recipient, Via};
use crate::error::{Error, Kind, Result, Text, Then};
use crate::say;
use std::path::PathBuf;

/// All that is needed to make messages.
#[derive(Debug)]
pub struct Book {
    queue: Queue,
    agent_id: Option<i64>,
    templates: Vec<Entry>,
    /// The template of each rule; the last is that of no rule.
    of_rule: Vec<usize>,
}

/// A template with the form that it is written for.
#[derive(Debug)]
struct Entry {
    form: Form,
    path: Option<PathBuf>,
    template: Template,
}

/// What is to be done about a notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Who is told; of a robot, whoever is in its group.
    pub to: Vec<Recipient>,
    /// By which way.
    pub via: Via,
    /// By which way after a known failure of the first.
    pub fallback: Option<Via>,
    /// Which of the book's templates says it.
    pub template: usize,
}

impl Book {
    /// Reads and checks all rules and templates; what is wrong is exit 78 with its line.
    pub fn open(config: &Config) -> Result<Book> {
        let queue = config.queue.clone();
        let mut book = Book { agent_id: None, templates: Vec::new(), of_rule: Vec::new(), queue };
        book.agent_id = book.app(&config.wecoms)?.and_then(|app| app.agent_id);
        let words: Vec<Words> = book.queue.rules.iter().map(|rule| rule.words.clone()).collect();
        for words in words.iter().chain([&config.queue.words]) {
            let at = book.entry(words)?;
            book.of_rule.push(at);
        }
        book.somebody_is_told()?;
        Ok(book)
    }

    /// The application; where no message goes out by it, there may be none.
    fn app<'a>(&self, apps: &'a [WeCom]) -> Result<Option<&'a WeCom>> {
        let named = self.queue.account.as_ref();
        let app = apps.iter().find(|app| Some(&app.name) == named);
        let by_app = |ways: Ways| ways.via == Via::App || ways.fallback == Some(Via::App);
        let wanted = self.ways().any(by_app);
        match (app, apps) {
            (Some(app), _) if !wanted || (app.has_token() && app.agent_id.is_some()) => Ok(Some(app)),
            (None, _) if !wanted => Ok(None),
            (Some(app), _) => {
                let name = &app.name;
                Err(Error::config(say!(
                    "the WeCom application {name} can't send: it has no Secret or no AgentId";
                    "企业微信应用 {name} 不能发送消息：缺少 Secret 或 AgentId"
                ))
                .next(
                    say!("set both, or via = \"robot\" in [queue]"; "请设置这两项，或在 [queue] 中设 via = \"robot\""),
                ))
            }
            (None, []) => {
                Err(Error::config(say!("no WeCom application is configured"; "没有配置企业微信应用")).next(say!(
                    "set WECOM_CORP_ID, WECOM_AGENT_ID and WECOM_SECRET, or [wecom.NAME] in wxops.toml";
                    "请设置 WECOM_CORP_ID、WECOM_AGENT_ID、WECOM_SECRET，或 wxops.toml 中的 [wecom.NAME]"
                )))
            }
            (None, several) => {
                let names = several.iter().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ");
                Err(Error::config(say!(
                    "there are several WeCom applications: {names}";
                    "有多个企业微信应用：{names}"
                ))
                .next(say!("name one with account in [queue]"; "请在 [queue] 中用 account 指定一个")))
            }
        }
    }

    fn ways(&self) -> impl Iterator<Item = Ways> {
        self.queue.rules.iter().map(|rule| rule.ways).chain([self.queue.ways])
    }

    /// The place of a template, read where it is a new one.
    fn entry(&mut self, words: &Words) -> Result<usize> {
        let path = words.template.as_ref().map(|file| file.path.clone());
        let same = |entry: &Entry| entry.form == words.form && entry.path == path;
        if let Some(at) = self.templates.iter().position(same) {
            return Ok(at);
        }
        let (form, fields) = (words.form, &self.queue.fields);
        let template = match &words.template {
            Some(file) => Template::open(file, form, fields)?,
            None => Template::built_in(form, fields).ok_or_else(|| leads_nowhere(form))?,
        };
        self.templates.push(Entry { form, path, template });
        Ok(self.templates.len() - 1)
    }

    /// A rule, or no rule at all, that tells nobody is a slip: found before a row is.
    fn somebody_is_told(&self) -> Result<()> {
        if !self.queue.to.is_empty() {
            return Ok(());
        }
        let by_app = |ways: Ways| ways.via == Via::App || ways.fallback == Some(Via::App);
        if let Some(rule) =
            self.queue.rules.iter().find(|rule| rule.to.is_none() && rule.to_column.is_none() && by_app(rule.ways))
        {
            let line = rule.line;
            return Err(nobody(say!(
                "the [[queue.rule]] of line {line} names nobody"; "第 {line} 行的 [[queue.rule]] 没有写接收人"
            )));
        }
        match self.queue.rules.is_empty() && by_app(self.queue.ways) {
            true => Err(nobody(say!("nobody is to be told of members"; "没有设置通知的接收人"))),
            false => Ok(()),
        }
    }

    /// The rule that counts for a notice: the first that fits; `None`: what `[queue]` says.
    pub fn rule(&self, notice: &Notice) -> Option<&Rule> {
        self.queue.rules.get(self.place(notice))
    }

    /// The place of that rule, or the one behind the last.
    fn place(&self, notice: &Notice) -> usize {
        let fits = |rule: &Rule| {
            (rule.kinds.is_empty() || rule.kinds.contains(&notice.kind))
                && rule.when.as_ref().is_none_or(|when| when.passes(&notice.payload))
        };
        self.queue.rules.iter().position(fits).unwrap_or(self.queue.rules.len())
    }

    /// Who is told of a notice, how, and in which words. Nobody at all: the row is dead and says so.
    pub fn plan(&self, notice: &Notice) -> Result<Plan> {
        let at = self.place(notice);
        let rule = self.queue.rules.get(at);
        let ways = rule.map_or(self.queue.ways, |rule| rule.ways);
        let named = rule.and_then(|rule| in_column(rule, notice));
        let to = named.unwrap_or_else(|| rule.and_then(|rule| rule.to.as_ref()).unwrap_or(&self.queue.to).clone());
        let to = match (to.is_empty(), ways) {
            (false, _) => to,
            // A robot tells its group, whoever is in it.
            (true, Ways { via: Via::Robot, fallback: None }) => vec![Recipient::All],
            (true, _) => {
                let id = notice.id;
                return Err(nobody(say!(
                    "nobody is to be told of notice {id}: no rule fits, and no recipients are set";
                    "通知 {id} 没有接收人：没有规则符合，也没有设置接收人"
                )));
            }
        };
        let template = self.of_rule.get(at).copied().unwrap_or_default();
        Ok(Plan { to, via: ways.via, fallback: ways.fallback, template })
    }

    /// The bytes of the request. They depend on the row's id and its payload alone, so that a repeat is the same, and
    /// no two rows have the same: the platform would take the second for a repeat of the first.
    pub fn body(&self, notice: &Notice, plan: &Plan, via: Via, to: &[Recipient]) -> Result<String> {
        let entry = self.templates.get(plan.template).ok_or_else(no_template)?;
        let tail = format!("通知号 {}", notice.id);
        let form = entry.form.by(via);
        let content = match (entry.form.is_card(), form.is_card()) {
            (true, true) => Content::card(form, entry.template.blocks(message::parts(form), notice)?, &tail)?,
            (true, false) => {
                let parts = entry.template.blocks(message::parts(entry.form), notice)?;
                Content::text(form, via, &message::as_text(&parts), &tail)
            }
            (false, _) => Content::text(form, via, &entry.template.text(notice)?, &tail),
        };
        content.request(via, to, self.agent_id)
    }

    /// One message that tells of the first `n` of these notices, and `n`.
    pub fn digest(&self, notices: &[&Notice], plan: &Plan, via: Via, to: &[Recipient]) -> Result<(String, usize)> {
        let form = self.templates.get(plan.template).ok_or_else(no_template)?.form.by(via);
        let form = if form.is_card() { Form::Text } else { form };
        let (text, tail, told) = digest::text(notices, &self.queue.fields, form, form.bytes(via));
        let body = Content::text(form, via, &text, &tail).request(via, to, self.agent_id)?;
        Ok((body, told))
    }
}

/// Who stands in the column that a rule names: persons alone, for whoever registers may have written it, and a
/// department or everybody is not theirs to tell.
fn in_column(rule: &Rule, notice: &Notice) -> Option<Vec<Recipient>> {
    let text = notice.payload.get(rule.to_column.as_ref()?)?.as_str()?;
    let read = Recipient::list(text).ok();
    let persons = read.filter(|all| all.iter().all(|one| matches!(one, Recipient::User(_))));
    if persons.is_none() && !text.trim().is_empty() {
        tracing::warn!(row = notice.id, "its column names nobody who can be told");
    }
    persons
}

fn nobody(what: Text) -> Error {
    Error::new(Kind::Config, what).then(Then::Never).next(say!(
        "set WECOM_TO_USER (to_user of [wecom.NAME]), or to in the [[queue.rule]]";
        "请设置 WECOM_TO_USER（[wecom.NAME] 的 to_user），或 [[queue.rule]] 的 to"
    ))
}

fn leads_nowhere(form: Form) -> Error {
    let form = form.as_str();
    Error::config(say!(
        "message = {form:?} needs a template: only you know where the card leads";
        "message = {form:?} 需要模板：卡片指向何处只有您知道"
    ))
    .next(say!(
        "name a file with template, and give it a {{% block url %}}; examples/templates has one";
        "请用 template 指定文件，并在其中写 {{% block url %}}；可参考 examples/templates"
    ))
}

/// A plan of another book.
fn no_template() -> Error {
    Error::failed(say!("the plan is of another configuration"; "该计划属于另一份配置"))
}
