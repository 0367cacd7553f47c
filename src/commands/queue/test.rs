//! `wxops queue test`: one message, to see that it arrives.

use super::list::kind;
use crate::app::{App, open_queue};
use crate::commands::Context;
use crate::config::Config;
use crate::domain::near::near;
use crate::domain::notice::{Kind, Notice, Recipient, Via};
use crate::error::{Error, Lang, Result};
use crate::notify::{Trial, Wish, not_told, sample};
use crate::platform::wecom::message::Sent;
use crate::report::{Report, escape};
use crate::say;
use chrono::FixedOffset;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Send one message as a notification would be, to see that it arrives
///
/// It tells of a sample member, or of a real one, who is only read; the rules and
/// templates say to whom and in which words. No row is put into the queue. It
/// takes from the pace of its recipients. A department, a tag or @all asks first.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue test --to zhang")]
pub(crate) struct Test {
    /// Whom, instead of those that the rules name: zhang, party:2, tag:3 or @all, several divided by |
    #[arg(long, value_name = "WHOM", value_parser = people)]
    to: Option<People>,
    /// By which way, instead of that which the rules name: app or robot
    #[arg(long, value_name = "WAY", value_parser = way)]
    via: Option<Via>,
    /// What happened to the member: new, changed or status
    #[arg(long, value_name = "KIND", value_parser = kind, default_value = "new")]
    kind: Kind,
    /// Another value of a column; the word NULL is none
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Tell of this member of the CRM, by id
    #[arg(long, value_name = "ID")]
    member: Option<i64>,
    /// Show the message, send nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

/// Several recipients.
#[derive(Debug, Clone)]
struct People(Vec<Recipient>);

struct Shown {
    notice: Notice,
    trial: Trial,
    sent: Option<Sent>,
    dry_run: bool,
}

fn people(text: &str) -> Result<People, String> {
    Recipient::list(text).map(People).map_err(|error| {
        let next = error.next.map(|next| format!("; {}", next.en)).unwrap_or_default();
        format!("{}{next}", error.what.en)
    })
}

fn way(text: &str) -> Result<Via, String> {
    Via::parse(text).ok_or_else(|| "app or robot".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or_else(|| "a column, =, and its value".to_owned())?;
    Ok((column.trim().to_owned(), value.to_owned()))
}

impl Test {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let config = context.config()?.clone();
        let notice = self.notice(&config).await?;
        let wish = Wish { to: self.to.as_ref().map(|people| people.0.clone()), via: self.via };
        let trial = Trial::of(&config, &wish, &notice)?;
        let mut shown = Shown { notice, trial, sent: None, dry_run: self.dry_run };
        if self.dry_run {
            return context.out.report(&shown);
        }
        if shown.trial.reaches_many() {
            let whom = shown.recipients().join(", ");
            let deed = say!("a test message goes to {whom}"; "测试消息将发给 {whom}");
            context.confirm(self.yes, deed).await?;
        }
        let app = Arc::new(App::open(config).await?);
        let sent = shown.trial.send(app).await;
        let (sent, failed) = match sent {
            Ok(sent) => (Some(sent.clone()), not_told(&sent)),
            Err(error) => (None, Some(error)),
        };
        shown.sent = sent;
        context.out.report(&shown)?;
        failed.map_or(Ok(()), Err)
    }

    /// What would stand in the queue, by an id that no row has.
    async fn notice(&self, config: &Config) -> Result<Notice> {
        let now_ms = config.clock.now_ms();
        let mut payload = match self.member {
            Some(id) => member(config, id).await?,
            None => sample(&config.queue.fields, &beijing(now_ms)),
        };
        for (column, value) in &self.set {
            set(&mut payload, column, value)?;
        }
        Ok(Notice { id: now_ms, member_id: self.member.unwrap_or(1), kind: self.kind, payload, created_ms: now_ms })
    }
}

/// A row of the members, which is only read.
async fn member(config: &Config, id: i64) -> Result<Map<String, Value>> {
    let db = open_queue(config, false).await?;
    let source = config.queue.source();
    let found = db.member(&source, id).await.map_err(|error| db.named(error))?;
    let (table, place) = (&source.table, db.place());
    found.ok_or_else(|| {
        Error::failed(say!("{table} in {place} has no member {id}"; "{place} 的 {table} 中没有会员 {id}"))
            .next(say!("give the id of a row, or none for a sample"; "请给出存在的编号；不给则使用示例会员"))
    })
}

/// Another value of a column, of the kind that the column has.
fn set(payload: &mut Map<String, Value>, column: &str, value: &str) -> Result<()> {
    let Some(known) = payload.get_mut(column) else {
        let error = Error::usage(say!("--set: no column {column} is told of"; "--set：通知中没有列 {column}"));
        return Err(match near(column, payload.keys().map(String::as_str)) {
            Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
            None => {
                let all = payload.keys().cloned().collect::<Vec<_>>().join(", ");
                error.next(say!("there is {all}"; "现有 {all}"))
            }
        });
    };
    let number = known.is_number().then(|| value.parse::<serde_json::Number>().ok()).flatten();
    *known = match (value, number) {
        ("NULL", _) => Value::Null,
        (_, Some(number)) => Value::Number(number),
        (text, None) => Value::String(text.to_owned()),
    };
    Ok(())
}

/// A time as a database of the platform's zone has it.
fn beijing(ms: i64) -> String {
    let zone = FixedOffset::east_opt(8 * 3600);
    let time = chrono::DateTime::from_timestamp_millis(ms).zip(zone).map(|(time, zone)| time.with_timezone(&zone));
    time.map(|time| time.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

impl Shown {
    fn recipients(&self) -> Vec<String> {
        self.trial.plan.to.iter().map(ToString::to_string).collect()
    }
}

impl Report for Shown {
    fn json(&self) -> Value {
        let (trial, sent) = (&self.trial, self.sent.as_ref());
        let request: Value = serde_json::from_str(&trial.body).unwrap_or_default();
        json!({
            "kind": self.notice.kind.as_str(),
            "rule_line": trial.rule,
            "via": trial.plan.via.as_str(),
            "fallback": trial.plan.fallback.map(Via::as_str),
            "recipients": self.recipients(),
            "request": request,
            "bytes": trial.body.len(),
            "dry_run": self.dry_run,
            "sent": sent.is_some(),
            "msgid": sent.and_then(|sent| sent.msgid.as_ref()),
            "invalid_users": sent.map(|sent| &sent.invalid_users),
            "invalid_parties": sent.map(|sent| &sent.invalid_parties),
            "invalid_tags": sent.map(|sent| &sent.invalid_tags),
            "unlicensed_users": sent.map(|sent| &sent.unlicensed),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Trial { rule, plan, body, .. } = &self.trial;
        let (via, whom, length) = (plan.via.as_str(), self.recipients().join(", "), body.len());
        let body = escape(body);
        let rule = match rule {
            Some(line) => say!("the [[queue.rule]] of line {line}"; "第 {line} 行的 [[queue.rule]]"),
            None => say!("none fits: as [queue] says"; "没有规则符合：按 [queue] 的设置"),
        };
        let (rule_en, rule_zh) = (rule.en, rule.zh);
        let fallback = plan.fallback.map_or("-", Via::as_str);
        let mut text = say!(
            "rule       {rule_en}\nway        {via} (after a failure: {fallback})\nrecipients {whom}\nbytes      {length}\nmessage    {body}\n";
            "规则    {rule_zh}\n方式    {via}（失败后：{fallback}）\n接收人  {whom}\n字节    {length}\n消息    {body}\n"
        );
        let msgid = self.sent.as_ref().and_then(|sent| sent.msgid.as_deref()).unwrap_or("-");
        let msgid = escape(msgid);
        let end = match (&self.sent, self.dry_run) {
            (Some(_), _) => say!("sent       msgid {msgid}"; "已发送  msgid {msgid}"),
            (None, true) => say!("nothing was sent"; "未发送"),
            (None, false) => say!("the platform has not said that it took it"; "平台没有确认收到"),
        };
        text.en.push_str(&end.en);
        text.zh.push_str(&end.zh);
        text.in_lang(lang).to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_column_gets_a_value_of_its_kind_and_no_other_column() {
        let mut payload = json!({ "nickname": "x", "remaining_matches": 1 }).as_object().unwrap().clone();
        for (column, value, wanted) in [
            ("nickname", "3", json!("3")),
            ("nickname", "a=b", json!("a=b")),
            ("nickname", "", json!("")),
            ("nickname", "NULL", Value::Null),
            ("remaining_matches", "3", json!(3)),
            ("remaining_matches", "many", json!("many")),
        ] {
            set(&mut payload, column, value).unwrap();
            assert_eq!(payload[column], wanted, "{column}={value}");
        }
        let error = set(&mut payload, "nicknam", "x").unwrap_err();
        assert_eq!((error.kind.exit_code(), error.next.unwrap().en.as_str()), (2, "did you mean nickname?"));
        assert!(set(&mut payload, "xyz", "x").unwrap_err().next.unwrap().en.contains("nickname, remaining_matches"));
    }

    #[test]
    fn a_time_is_shown_as_the_shop_has_it() {
        assert_eq!(beijing(1_764_295_200_000), "2025-11-28 10:00:00");
    }
}
