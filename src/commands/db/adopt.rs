//! The part of `wxops db migrate` that takes over a `user_mapping`: the plan is shown, then carried out.

use crate::commands::Context;
use crate::error::{Error, Lang, Result, Text};
use crate::report::{Format, Report, escape};
use crate::say;
use crate::store::adopt::{Change, Cost, Plan, in_the_way};
use crate::store::{Store, Zone};
use serde_json::{Value, json};

/// For whom it is taken over.
pub(super) struct Asked {
    account: String,
    known: Vec<String>,
    offset: String,
}

/// The plan, on its way.
pub(super) struct Adoption {
    plan: Plan,
    account: String,
    offset: String,
    /// Shown already, before the question.
    shown: bool,
    done: bool,
}

impl Asked {
    /// Its rows are of one account: the only one, or `--account`.
    pub fn of(context: &Context) -> Result<Asked> {
        let config = context.config()?;
        let account = config.official(None).map_err(|error| match config.officials.len() {
            0 | 1 => error,
            _ => Error::usage(say!(
                "several accounts: whose are the rows of user_mapping?";
                "有多个账号：user_mapping 中的行属于哪一个？"
            ))
            .next(say!("add --account NAME"; "请加 --account NAME")),
        })?;
        Ok(Asked {
            account: account.name.clone(),
            known: config.officials.iter().map(|official| official.name.clone()).collect(),
            offset: config.user_mapping_timezone.map_or_else(|| "+00:00".to_owned(), |zone| Zone::from(zone).text()),
        })
    }

    /// What would be done; `None` where there is no table.
    pub async fn look(&self, store: &Store) -> Result<Option<Adoption>> {
        let plan = store.adoption(&self.account, &self.known()).await?;
        Ok(plan.map(|plan| Adoption {
            plan,
            account: self.account.clone(),
            offset: self.offset.clone(),
            shown: false,
            done: false,
        }))
    }

    /// A table that was just made by us and is to be read at another offset than UTC.
    pub async fn mark_own(&self, store: &Store) -> Result<Option<Adoption>> {
        match self.look(store).await? {
            Some(mut adoption) if !adoption.plan.changes.is_empty() => {
                adoption.carry_out(self, store).await?;
                Ok(Some(adoption))
            }
            _ => Ok(None),
        }
    }

    fn known(&self) -> Vec<&str> {
        self.known.iter().map(String::as_str).collect()
    }
}

impl Adoption {
    /// The one statement.
    pub fn sql(&self) -> Option<String> {
        self.plan.sql()
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.plan.changes.is_empty()
    }

    /// Where something must be mended first, the plan is shown and nothing done.
    pub fn refuse_problems(&self, context: &mut Context) -> Result<()> {
        match self.plan.problems.len() {
            0 => Ok(()),
            count => {
                context.out.show(self)?;
                Err(in_the_way(count))
            }
        }
    }

    /// Shows the plan to a person, who says whether to go on.
    pub async fn agree(&mut self, context: &mut Context, yes: bool) -> Result<()> {
        if self.is_idle() {
            return Ok(());
        }
        if context.out.format == Format::Table && !context.out.quiet {
            context.out.show(self)?;
            self.shown = true;
        }
        let rows = self.plan.rows;
        let deed = say!(
            "this changes the table user_mapping, {rows} rows, which another program writes";
            "将修改另一程序也在写入的表 user_mapping（{rows} 行）"
        );
        context.confirm(yes, deed).await
    }

    /// Does it. What another run has done meanwhile is not done again.
    pub async fn carry_out(&mut self, asked: &Asked, store: &Store) -> Result<()> {
        store.adopt(&asked.account, &asked.known()).await?;
        self.done = true;
        Ok(())
    }
}

impl Report for Adoption {
    fn json(&self) -> Value {
        let change = |change: &Change| json!({ "sql": change.sql, "why": change.why.en, "cost": change.cost.as_str() });
        json!({
            "account": self.account,
            "timezone": self.offset,
            "rows": self.plan.rows,
            "changes": self.plan.changes.iter().map(change).collect::<Vec<_>>(),
            "problems": self.plan.problems.iter()
                .map(|problem| json!({ "what": problem.what.en, "mend": problem.mend.en })).collect::<Vec<_>>(),
            "notes": self.plan.notes.iter().map(|note| &note.en).collect::<Vec<_>>(),
            "done": self.done,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let of = |text: Text| escape(text.in_lang(lang)).into_owned();
        let mut lines = Vec::new();
        if !self.shown {
            let (rows, account, offset) = (self.plan.rows, &self.account, &self.offset);
            if !self.is_idle() || !self.plan.problems.is_empty() {
                lines.push(of(say!(
                    "user_mapping: {rows} rows, of account {account}, times at {offset}";
                    "user_mapping：{rows} 行，属于账号 {account}，时间偏移 {offset}"
                )));
            }
            for Change { sql, why, cost } in &self.plan.changes {
                let word = cost.as_str();
                let sql = escape(sql);
                let why = why.in_lang(lang);
                lines.push(format!("  {sql}\n      {why} [{word}]"));
            }
            lines.extend(self.plan.cost().map(|cost| of(weight(cost))));
            for problem in &self.plan.problems {
                let (what, mend) = (of(problem.what.clone()), of(problem.mend.clone()));
                lines.push(format!("! {what}\n  {mend}"));
            }
            lines.extend(self.plan.notes.iter().map(|note| format!("* {}", of(note.clone()))));
        }
        if self.done && !self.is_idle() {
            let offset = &self.offset;
            lines.push(of(say!(
                "user_mapping is taken over; its times are at {offset}";
                "已接管 user_mapping；其时间偏移为 {offset}"
            )));
        }
        lines.join("\n")
    }
}

/// What the one ALTER TABLE costs those who write meanwhile.
fn weight(cost: Cost) -> Text {
    match cost {
        Cost::Instant => say!("one ALTER TABLE, at once"; "一条 ALTER TABLE，立即完成"),
        Cost::Index => say!(
            "one ALTER TABLE that reads the table; others go on writing";
            "一条 ALTER TABLE，会读取全表；期间其他程序可继续写入"
        ),
        Cost::Copy => say!(
            "one ALTER TABLE that copies the table; others read meanwhile, and wait with their writes";
            "一条 ALTER TABLE，会复制全表；期间其他程序可读，写入需等待"
        ),
    }
}
