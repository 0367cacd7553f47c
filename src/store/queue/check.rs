//! Whether the queue stands as it should, and what has drifted since it was installed. Reads only.

use super::super::Dialect;
use super::QueueDb;
use super::plan::{Wish, is_same};
use super::schema::{self, ON_INSERT, ON_UPDATE, QUEUE, Table};
use super::script::meaning;
use super::standing::StandingTrigger;
use super::trigger::{Trigger, triggers};
use crate::error::{Result, Text};
use crate::say;

/// A clock that is ahead by so much, seconds, is no slip of clocks.
const AHEAD: u32 = 60;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// members, table, column, index, procedure, trigger, definer, clock, cursor
    pub kind: &'static str,
    /// Which one.
    pub name: String,
    /// What is wrong.
    pub what: Text,
    /// What mends it.
    pub mend: Text,
}

/// What was found, and what could not be looked at.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What is not as it should be.
    pub drifts: Vec<Drift>,
    /// What could not be looked at, and why.
    pub unseen: Vec<Text>,
}

impl Checked {
    fn add(&mut self, kind: &'static str, name: &str, what: Text, mend: Text) {
        self.drifts.push(Drift { kind, name: name.to_owned(), what, mend });
    }
}

fn install() -> Text {
    say!("run: wxops queue install"; "请运行：wxops queue install")
}

impl QueueDb {
    /// Compares what stands with what an installation would make.
    pub async fn check(&self, wish: &Wish<'_>) -> Result<Checked> {
        let mut found = Checked::default();
        for table in schema::tables(self.dialect()) {
            self.check_table(&table, &mut found).await?;
        }
        self.check_procedures(&mut found).await?;
        self.check_members(wish, &mut found).await?;
        self.check_clock(&mut found).await?;
        if !wish.by_trigger && found.drifts.is_empty() && self.looked_up_to().await?.is_none() {
            let what = say!("nobody has begun to look for new members"; "尚未开始查找新会员");
            found.add(
                "cursor",
                "queue_capture",
                what,
                say!("run: wxops queue install --capture poll"; "请运行：wxops queue install --capture poll"),
            );
        }
        Ok(found)
    }

    async fn check_table(&self, table: &Table, found: &mut Checked) -> Result<()> {
        let name = &table.name;
        let Some(standing) = self.standing(name).await? else {
            found.add("table", name, say!("there is no table {name}"; "没有表 {name}"), install());
            return Ok(());
        };
        for column in standing.lacks(table) {
            let column = &column.name;
            found.add(
                "column",
                &format!("{name}.{column}"),
                say!("{name} has no column {column}"; "{name} 没有列 {column}"),
                install(),
            );
        }
        for (is, wanted) in standing.unlike(table, self.dialect()) {
            let (column, is, wanted) = (&is.name, &is.kind, &wanted.written);
            found.add(
                "column",
                &format!("{name}.{column}"),
                say!("{column} of {name} is {is}, not {wanted}"; "{name} 的 {column} 是 {is}，而不是 {wanted}"),
                say!("run: ALTER TABLE {name} MODIFY {column} {wanted}"; "请执行：ALTER TABLE {name} MODIFY {column} {wanted}"),
            );
        }
        for index in standing.lacks_indexes(table) {
            let (index, columns) = (&index.name, index.columns.join(", "));
            found.add(
                "index",
                index,
                say!("{name} has no index over {columns}"; "{name} 没有 {columns} 的索引"),
                install(),
            );
        }
        Ok(())
    }

    async fn check_procedures(&self, found: &mut Checked) -> Result<()> {
        for procedure in schema::procedures(self.dialect()) {
            let name = &procedure.name;
            match self.standing_procedure(name).await? {
                None => {
                    found.add("procedure", name, say!("there is no procedure {name}"; "没有存储过程 {name}"), install())
                }
                Some(body) if body.is_empty() => found.unseen.push(say!(
                    "procedure {name}: its text is not shown to this database user";
                    "存储过程 {name}：当前数据库用户看不到其内容"
                )),
                Some(body) if meaning(&body) != meaning(&procedure.body) => {
                    found.add(
                        "procedure",
                        name,
                        say!("procedure {name} is another one"; "存储过程 {name} 的内容不同"),
                        install(),
                    );
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn check_members(&self, wish: &Wish<'_>, found: &mut Checked) -> Result<()> {
        let source = wish.source;
        let standing = self.standing_triggers().await?;
        let Some(members) = self.members(&source.table).await? else {
            let error = self.named(self.no_members(&source.table));
            found.add("members", &source.table, error.what, error.next.unwrap_or_else(install));
            return Ok(());
        };
        let lost = |trigger: &StandingTrigger| -> Vec<String> {
            let named = columns_of(&trigger.text);
            named.into_iter().filter(|column| members.column(column).is_none()).collect()
        };
        for (trigger, columns) in
            standing.iter().map(|trigger| (trigger, lost(trigger))).filter(|(_, lost)| !lost.is_empty())
        {
            let (name, columns) = (&trigger.name, columns.join(", "));
            found.add(
                "trigger",
                name,
                say!(
                    "trigger {name} names columns that are gone ({columns}): every registration fails";
                    "触发器 {name} 引用了已不存在的列（{columns}）：所有登记都会失败"
                ),
                say!("take them out of queue.fields, then run: wxops queue install"; "请从 queue.fields 去掉它们，然后运行：wxops queue install"),
            );
        }
        let faults = members.faults(source);
        for fault in &faults {
            let error = fault.error(source, self.place());
            found.add("members", &source.table, error.what, error.next.unwrap_or_else(install));
        }
        if faults.is_empty() {
            let wanted = if wish.by_trigger { triggers(self.dialect(), source, &members) } else { Vec::new() };
            for name in [ON_INSERT, ON_UPDATE] {
                let standing = standing.iter().find(|trigger| trigger.name == name);
                let wanted = wanted.iter().find(|trigger| trigger.name == name);
                self.check_trigger(wish, standing, wanted, found);
            }
        }
        for trigger in &standing {
            self.check_definer(trigger, found).await?;
        }
        Ok(())
    }

    fn check_trigger(
        &self,
        wish: &Wish<'_>,
        standing: Option<&StandingTrigger>,
        wanted: Option<&Trigger>,
        found: &mut Checked,
    ) {
        let table = &wish.source.table;
        match (standing, wanted) {
            (None, None) => {}
            (None, Some(wanted)) => {
                let name = wanted.name;
                let what = say!(
                    "there is no trigger {name}: new rows of {table} make no notification";
                    "没有触发器 {name}：{table} 的新行不会产生通知"
                );
                found.add("trigger", name, what, install());
            }
            (Some(standing), None) => {
                let name = &standing.name;
                let what = say!(
                    "there is a trigger {name}, and the configuration asks for none";
                    "存在触发器 {name}，而配置并不需要它"
                );
                found.add("trigger", name, what, install());
            }
            (Some(standing), Some(wanted)) if !standing.table.eq_ignore_ascii_case(table) => {
                let (name, other) = (wanted.name, &standing.table);
                let what = say!("trigger {name} is on {other}, not on {table}"; "触发器 {name} 建在 {other} 上，而不是 {table}");
                found.add("trigger", name, what, install());
            }
            (Some(standing), Some(wanted)) if !is_same(self.dialect(), standing, wanted, wish.definer) => {
                let name = wanted.name;
                let what = say!(
                    "trigger {name} is another one than the configuration asks for";
                    "触发器 {name} 与配置所要求的不同"
                );
                found.add("trigger", name, what, install());
            }
            _ => {}
        }
    }

    /// Whether the account that a trigger runs as is there: without it every registration fails (1449).
    async fn check_definer(&self, trigger: &StandingTrigger, found: &mut Checked) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let (name, definer) = (&trigger.name, &trigger.definer);
        let me = self.row("SELECT CURRENT_USER()", vec![], |row| row.text(0)).await?;
        if me.as_deref() == Some(definer) {
            return Ok(());
        }
        let (user, host) = definer.rsplit_once('@').unwrap_or((definer, "%"));
        let sql = "SELECT COUNT(*) FROM mysql.user WHERE CONVERT(user USING utf8mb4) = CONVERT(? USING utf8mb4) \
                   AND LOWER(host) = LOWER(?)";
        match self.row(sql, vec![user.into(), host.into()], |row| row.int(0)).await {
            Ok(Some(0)) => {
                let what = say!(
                    "the definer {definer} of trigger {name} is no database user any more: every registration fails";
                    "触发器 {name} 的定义者 {definer} 已不是数据库用户：所有登记都会失败"
                );
                let mend = say!(
                    "run: wxops queue install --definer USER@HOST, with one that is there";
                    "请运行：wxops queue install --definer 用户@主机，填写存在的用户"
                );
                found.add("definer", definer, what, mend);
            }
            Ok(_) => {}
            Err(_) => found.unseen.push(say!(
                "the definer {definer} of trigger {name}: mysql.user can't be read by this database user";
                "触发器 {name} 的定义者 {definer}：当前数据库用户无权读取 mysql.user"
            )),
        }
        Ok(())
    }

    /// Rows that were made in the future were written by another clock than UTC, and are told of hours late.
    async fn check_clock(&self, found: &mut Checked) -> Result<()> {
        if self.standing(QUEUE).await?.is_none_or(|queue| !queue.columns.iter().any(|it| it.name == "created_at")) {
            return Ok(());
        }
        let ahead = match self.dialect() {
            Dialect::MySql => format!("created_at > UTC_TIMESTAMP(3) + INTERVAL {AHEAD} SECOND"),
            Dialect::Sqlite => format!("created_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{AHEAD} seconds')"),
        };
        let sql = format!("SELECT COUNT(*) FROM {QUEUE} WHERE status = 'pending' AND {ahead}");
        let count = self.row(&sql, vec![], |row| row.int(0)).await?.unwrap_or(0);
        if count > 0 {
            found.add(
                "clock",
                QUEUE,
                say!(
                    "{count} rows were made in the future: by another clock than UTC, or before this one was set back";
                    "{count} 行的创建时间在未来：写入时用的不是 UTC，或此后时钟被拨回"
                ),
                say!(
                    "queue drain takes those that nobody has put off; what writes rows besides the trigger must use UTC_TIMESTAMP(3)";
                    "queue drain 会处理其中未被推迟的行；触发器以外的写入者必须使用 UTC_TIMESTAMP(3)"
                ),
            );
        }
        Ok(())
    }
}

/// The columns of the member that a trigger names.
fn columns_of(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for prefix in ["NEW.", "OLD."] {
        for rest in text.split(prefix).skip(1) {
            let mark = rest.chars().next().filter(|mark| matches!(mark, '`' | '"'));
            let name: String = match mark {
                Some(mark) => rest.chars().skip(1).take_while(|c| *c != mark).collect(),
                None => rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect(),
            };
            if !name.is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_a_trigger_names_are_found() {
        let text = "VALUES (NEW.`id`, CONCAT('x:', NEW.`id`), NEW.\"昵称\", NEW.phone) IF NOT (OLD.`a b` <=> NEW.c$)";
        assert_eq!(columns_of(text), ["id", "昵称", "phone", "c$", "a b"]);
    }
}
