//! What has to be done to a `user_mapping` of another program. Pure: made of what the catalogue and a few counts say.
//! It adds and widens; it never narrows, renames or drops. What that can't mend is a problem, said before anything
//! is changed.

use super::super::Zone;
use super::MARK;
use super::columns::{Holds, WANTED, Wanted};
use super::shape::{Column, Shape};
use crate::error::Text;
use crate::say;

/// What a step costs those who write meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A change of the catalogue.
    Instant,
    /// The table is read to make an index; others go on writing.
    Index,
    /// The table is copied; others read, and wait with their writes.
    Copy,
}

impl Cost {
    /// For JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Cost::Instant => "instant",
            Cost::Index => "index",
            Cost::Copy => "copy",
        }
    }
}

/// A part of the one ALTER TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `ADD COLUMN …`
    pub sql: String,
    /// Why.
    pub why: Text,
    /// What it costs.
    pub cost: Cost,
}

/// Why it can't be taken over as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What stands in the way.
    pub what: Text,
    /// How to mend it.
    pub mend: Text,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Rows in the table.
    pub rows: i64,
    /// Parts of one ALTER TABLE, so that it is done whole or not at all.
    pub changes: Vec<Change>,
    /// What must be mended first.
    pub problems: Vec<Problem>,
    /// What to know.
    pub notes: Vec<Text>,
}

/// What only the rows tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub rows: i64,
    /// Openids that stand in more than one row, up to a bound.
    pub twice: Vec<String>,
    /// Rows whose `account` is no account of ours.
    pub strange_accounts: i64,
    /// Time columns that hold 0000-00-00.
    pub zero_dates: Vec<String>,
    /// How far the newest time lies in the future, seconds.
    pub ahead: Option<i64>,
}

impl Plan {
    /// The one statement; `None` where nothing is to be done.
    pub fn sql(&self) -> Option<String> {
        let parts: Vec<&str> = self.changes.iter().map(|change| change.sql.as_str()).collect();
        (!parts.is_empty()).then(|| format!("ALTER TABLE user_mapping\n  {}", parts.join(",\n  ")))
    }

    /// The dearest of its steps.
    pub fn cost(&self) -> Option<Cost> {
        self.changes.iter().map(|change| change.cost).max()
    }

    fn change(&mut self, sql: String, why: Text, cost: Cost) {
        self.changes.push(Change { sql, why, cost });
    }

    fn problem(&mut self, what: Text, mend: Text) {
        self.problems.push(Problem { what, mend });
    }
}

/// Whether a table has what our statements name: ours, or one that was taken over.
pub(super) fn is_usable(shape: &Shape) -> bool {
    let there = |name: &str| shape.column(name).is_some();
    shape.is_table
        && WANTED.iter().all(|wanted| there(wanted.name))
        && ["id", "openid", "account"].into_iter().all(there)
        && shape.is_unique(&["account", "openid"])
}

/// Whether it is a table that `db migrate` made and nobody took over.
pub(super) fn is_native(shape: &Shape) -> bool {
    let bare = |account: &Column| account.must_be_given() && account.comment.is_empty();
    is_usable(shape) && shape.column("account").is_some_and(bare)
}

/// What is to be done to it, for the account that its rows are of.
pub(super) fn plan(shape: &Shape, facts: &Facts, account: &str, zone: Option<Zone>) -> Plan {
    let mut plan = Plan { rows: facts.rows, ..Plan::default() };
    if !shape.is_table {
        plan.problem(
            say!("user_mapping is a view"; "user_mapping 是视图"),
            say!("name the table behind it so, or give wxops a database of its own"; "请让其背后的表使用该名称，或给 wxops 单独的库"),
        );
        return plan;
    }
    let offset = zone.map_or_else(|| "+00:00".to_owned(), Zone::text);
    if is_native(shape) {
        if offset == "+00:00" {
            return plan;
        }
        if facts.rows > 0 {
            plan.problem(
                say!("user_mapping is wxops's own and its times are in UTC"; "user_mapping 由 wxops 创建，其时间为 UTC"),
                say!("remove user_mapping_timezone"; "请删除 user_mapping_timezone"),
            );
            return plan;
        }
    }
    if shape.engine != "InnoDB" {
        let engine = &shape.engine;
        plan.change("ENGINE=InnoDB".into(), say!("{engine} has no transactions"; "{engine} 不支持事务"), Cost::Copy);
    }
    id(shape, &mut plan);
    openid(shape, facts, &mut plan);
    the_account(shape, facts, account, &offset, &mut plan);
    for wanted in WANTED {
        match shape.column(wanted.name) {
            None => {
                let (name, added) = (wanted.name, wanted.added);
                plan.change(format!("ADD COLUMN {name} {added}"), say!("missing"; "缺少"), Cost::Instant);
            }
            Some(column) => holds(wanted, column, &mut plan),
        }
    }
    keys(shape, &mut plan);
    others(shape, &mut plan);
    for column in &facts.zero_dates {
        plan.problem(
            say!("{column} holds 0000-00-00, which is no time"; "{column} 含有 0000-00-00，不是有效时间"),
            say!("run: UPDATE user_mapping SET {column} = NULL WHERE {column} = 0"; "请执行：UPDATE user_mapping SET {column} = NULL WHERE {column} = 0"),
        );
    }
    if let Some(hours) = facts.ahead.map(|seconds| (seconds + 3599) / 3600) {
        plan.notes.push(say!(
            "the newest time in it lies up to {hours} h in the future, read at {offset}: is user_mapping_timezone right?";
            "按 {offset} 读取，其中最新的时间在未来约 {hours} 小时：user_mapping_timezone 是否正确？"
        ));
    }
    plan
}

fn id(shape: &Shape, plan: &mut Plan) {
    let counts = |column: &Column| column.extra.to_ascii_lowercase().contains("auto_increment");
    let another = shape.columns.iter().find(|column| counts(column) && !column.name.eq_ignore_ascii_case("id"));
    if let Some(another) = another {
        let name = &another.name;
        return plan.problem(
            say!("{name} counts up, and a table has one such column: wxops needs it to be id"; "自增列是 {name}，而一张表只能有一个自增列：wxops 需要它是 id"),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    }
    let Some(id) = shape.column("id") else {
        let key = if shape.primary().is_some() { "UNIQUE KEY user_mapping_id (id)" } else { "PRIMARY KEY (id)" };
        plan.change(
            format!("ADD COLUMN id BIGINT NOT NULL AUTO_INCREMENT, ADD {key}"),
            say!("missing: rows are read in its order"; "缺少：按其顺序读取"),
            Cost::Copy,
        );
        return;
    };
    if !matches!(id.kind.as_str(), "int" | "bigint" | "mediumint") {
        let written = &id.written;
        return plan.problem(
            say!("id is {written}, wxops needs a number"; "id 的类型为 {written}，wxops 需要数字"),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    }
    if shape.primary().is_none() {
        plan.change("ADD PRIMARY KEY (id)".into(), say!("there is no primary key"; "没有主键"), Cost::Copy);
    }
    if !counts(id) {
        if shape.bound.iter().any(|bound| bound == "id") {
            return bound_by_a_key("id", plan);
        }
        let written = &id.written;
        let key = if shape.has_key(&["id"]) || shape.primary().is_none() {
            ""
        } else {
            ", ADD UNIQUE KEY user_mapping_id (id)"
        };
        plan.change(
            format!("MODIFY COLUMN id {written} NOT NULL AUTO_INCREMENT{key}"),
            say!("wxops gives no id: it counts up, ids that others give stay as they are"; "wxops 不指定 id：改为自增，其他程序指定的 id 不变"),
            Cost::Copy,
        );
    }
}

fn openid(shape: &Shape, facts: &Facts, plan: &mut Plan) {
    let Some(openid) = shape.column("openid") else {
        return plan.problem(
            say!("it has no column openid: this is no table of followers"; "没有 openid 列：这不是粉丝表"),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    };
    if !facts.twice.is_empty() {
        let (count, list) = (facts.twice.len(), facts.twice.join(", "));
        plan.problem(
            say!("{count} or more openids stand in several rows: {list}"; "至少 {count} 个 openid 出现在多行中：{list}"),
            say!(
                "keep one row of each; this keeps the newest: DELETE old FROM user_mapping old JOIN user_mapping new ON old.openid = new.openid AND old.id < new.id";
                "每个只保留一行；以下语句保留最新的：DELETE old FROM user_mapping old JOIN user_mapping new ON old.openid = new.openid AND old.id < new.id"
            ),
        );
    }
    let (charset, wide) = (openid.charset.clone().unwrap_or_default(), openid.length.max(64));
    if !matches!(openid.kind.as_str(), "varchar" | "char") || charset.is_empty() {
        let written = &openid.written;
        return plan.problem(
            say!("openid is {written}, wxops needs VARCHAR"; "openid 的类型为 {written}，wxops 需要 VARCHAR"),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    }
    let bytes = wide * if charset.starts_with("utf8mb4") { 4 } else { 3 } + 32;
    if bytes > 3072 {
        plan.problem(
            say!("openid is too wide for a unique key together with account"; "openid 过长，无法与 account 组成唯一键"),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    }
    if bytes > 767 && matches!(shape.row_format.as_str(), "Compact" | "Redundant") {
        plan.change(
            "ROW_FORMAT=DYNAMIC".into(),
            say!("the key of account and openid is wider than the old format takes"; "account 与 openid 的键超出旧行格式的上限"),
            Cost::Copy,
        );
    }
    let collation = format!("{charset}_bin");
    let exact = openid.collation.as_deref().is_some_and(|name| name.ends_with("_bin"));
    if exact && openid.length >= 64 {
        return;
    }
    if shape.bound.iter().any(|bound| bound == "openid") {
        return bound_by_a_key("openid", plan);
    }
    let kind = if openid.length >= 64 { openid.written.clone() } else { "varchar(64)".to_owned() };
    let rest = &openid.rest;
    let collation = if exact { openid.collation.clone().unwrap_or_default() } else { collation };
    plan.change(
        format!("MODIFY COLUMN openid {kind} CHARACTER SET {charset} COLLATE {collation} {rest}"),
        say!("openids that differ in upper and lower case only are two people"; "仅大小写不同的 openid 是两个人"),
        Cost::Copy,
    );
}

fn bound_by_a_key(name: &str, plan: &mut Plan) {
    plan.problem(
        say!("a foreign key holds {name}, which has to be changed"; "{name} 需要修改，但被外键约束"),
        say!(
            "drop that foreign key, take the table over, and make it again with the new definition of {name}";
            "请先删除该外键，接管后再按 {name} 的新定义重建"
        ),
    );
}

fn the_account(shape: &Shape, facts: &Facts, account: &str, offset: &str, plan: &mut Plan) {
    let wanted = format!(
        "account VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '{account}' COMMENT '{MARK}{offset}'"
    );
    let Some(column) = shape.column("account") else {
        return plan.change(
            format!("ADD COLUMN {wanted}"),
            say!("all its rows, and those that others insert, are of account {account}"; "所有行以及其他程序插入的行都属于账号 {account}"),
            Cost::Instant,
        );
    };
    if facts.strange_accounts > 0 {
        let rows = facts.strange_accounts;
        return plan.problem(
            say!(
                "{rows} rows have something else in the column account than the name of an account of wxops: it is of another meaning";
                "{rows} 行的 account 列不是 wxops 的账号名：该列另有含义"
            ),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    }
    let before = column.comment.strip_prefix(MARK);
    if before == Some(offset) && column.has_default {
        return;
    }
    let why = match before {
        Some(before) => {
            say!("its times were read at {before}, from now on at {offset}"; "其时间此前按 {before} 读取，此后按 {offset}")
        }
        None => {
            say!("rows that others insert are of account {account}; its times are at {offset}"; "其他程序插入的行属于账号 {account}；时间为 {offset}")
        }
    };
    // Who it was taken over for stays as it is.
    let wanted = match column.rest.split_once("DEFAULT '").and_then(|(_, rest)| rest.split_once('\'')) {
        Some((stands, _)) if before.is_some() => {
            wanted.replace(&format!("DEFAULT '{account}'"), &format!("DEFAULT '{stands}'"))
        }
        _ => wanted,
    };
    plan.change(format!("MODIFY COLUMN {wanted}"), why, Cost::Instant);
}

/// Widens a column that stands, or finds that it can't be.
fn holds(wanted: &Wanted, column: &Column, plan: &mut Plan) {
    let (name, written) = (&column.name, &column.written);
    let is = |kinds: &[&str]| kinds.contains(&column.kind.as_str());
    let (fits, what) = match wanted.holds {
        Holds::Text(_) | Holds::Word(_) => {
            (is(&["varchar", "char", "text", "tinytext", "mediumtext", "longtext"]), say!("text"; "文本"))
        }
        Holds::Small if wanted.blanked => {
            (is(&["tinyint", "smallint", "mediumint", "int", "bigint"]), say!("a number"; "数字"))
        }
        Holds::Small => (is(&["tinyint", "smallint", "mediumint", "int", "bigint", "bit"]), say!("a number"; "数字")),
        Holds::Number if wanted.name == "info_attempts" => (is(&["int", "bigint"]), say!("a number"; "数字")),
        Holds::Number => (is(&["bigint"]), say!("a BIGINT"; "BIGINT")),
        Holds::Time => (is(&["datetime", "timestamp"]), say!("a DATETIME"; "DATETIME")),
    };
    if !fits || column.is_generated() {
        let (en, zh) = (&what.en, &what.zh);
        return plan.problem(
            say!("{name} is {written}, wxops needs {en}"; "{name} 的类型为 {written}，wxops 需要 {zh}"),
            say!("give wxops a database of its own"; "请给 wxops 单独的库"),
        );
    }
    let (mut kind, mut why) = (written.clone(), Vec::new());
    let (mut charset, mut collation) = (column.charset.clone(), column.collation.clone());
    if let Holds::Text(length) | Holds::Word(length) = wanted.holds
        && column.length < length
    {
        kind = match column.kind.as_str() {
            "varchar" | "char" => format!("varchar({length})"),
            _ => "text".to_owned(),
        };
        why.push(say!("up to {length} characters"; "最多 {length} 个字符"));
    }
    if matches!(wanted.holds, Holds::Text(_)) && charset.as_deref() != Some("utf8mb4") {
        charset = Some("utf8mb4".to_owned());
        // What was equal stays equal.
        let exact = collation.as_deref().is_some_and(|name| name.ends_with("_bin"));
        collation = Some(if exact { "utf8mb4_bin" } else { "utf8mb4_general_ci" }.to_owned());
        why.push(say!("emoji"; "表情符号"));
    }
    let mut rest = column.rest.clone();
    if wanted.blanked && !column.nullable {
        rest = rest.replacen("NOT NULL", "NULL", 1);
        why.push(say!("NULL, for those who are erased or of whom nothing is known"; "NULL，用于已清除或未知的用户"));
    }
    if why.is_empty() {
        return;
    }
    let text =
        charset.zip(collation).map_or_else(String::new, |(set, name)| format!(" CHARACTER SET {set} COLLATE {name}"));
    let (en, zh): (Vec<_>, Vec<_>) = why.into_iter().map(|why| (why.en, why.zh)).unzip();
    let (en, zh) = (en.join("; "), zh.join("；"));
    let space = if rest.is_empty() { "" } else { " " };
    plan.change(
        format!("MODIFY COLUMN `{name}` {kind}{text}{space}{rest}"),
        say!("to take {en}"; "以容纳：{zh}"),
        Cost::Copy,
    );
}

fn keys(shape: &Shape, plan: &mut Plan) {
    let named = |name: &str| match shape.keys.iter().any(|key| key.name.eq_ignore_ascii_case(name)) {
        true => format!("wxops_{name}"),
        false => name.to_owned(),
    };
    let mut add = |missing: bool, what: &str, name: &str, columns: &str, why: Text| {
        if missing {
            let name = named(name);
            plan.change(format!("ADD {what} {name} ({columns})"), why, Cost::Index);
        }
    };
    add(
        !shape.is_unique(&["account", "openid"]),
        "UNIQUE KEY",
        "user_mapping_person",
        "account, openid",
        say!("one row a person"; "每人一行"),
    );
    add(
        !shape.has_key(&["is_followed", "follow_time"]),
        "KEY",
        "user_mapping_followed",
        "is_followed, follow_time",
        say!("who followed last"; "查询最近关注者"),
    );
    add(
        !shape.has_key(&["info_due_at"]),
        "KEY",
        "user_mapping_info_due",
        "info_due_at",
        say!("whose data is to be fetched"; "查询待获取资料者"),
    );
}

/// Columns, triggers and keys that are not ours: what they do to rows that we insert.
fn others(shape: &Shape, plan: &mut Plan) {
    let ours = |name: &str| {
        ["id", "openid", "account"].iter().any(|known| name.eq_ignore_ascii_case(known))
            || WANTED.iter().any(|wanted| name.eq_ignore_ascii_case(wanted.name))
    };
    for column in shape.columns.iter().filter(|column| !ours(&column.name) && column.must_be_given()) {
        let name = column.name.to_ascii_lowercase();
        let unique = shape.keys.iter().any(|key| key.unique && key.columns == [name.clone()]);
        if unique || shape.bound.contains(&name) {
            let rest = column.rest.replacen("NOT NULL", "NULL", 1);
            let written = &column.written;
            plan.problem(
                say!(
                    "{name} must be given and is unique or bound by a foreign key: people who come by callback have none";
                    "{name} 必填，且唯一或受外键约束：由回调而来的用户没有该值"
                ),
                say!(
                    "let it be empty: ALTER TABLE user_mapping MODIFY COLUMN `{name}` {written} {rest}";
                    "请允许为空：ALTER TABLE user_mapping MODIFY COLUMN `{name}` {written} {rest}"
                ),
            );
        } else {
            plan.notes.push(say!(
                "{name} has no default: it is empty (or 0) in rows that wxops inserts";
                "{name} 没有默认值：wxops 插入的行中该列为空（或 0）"
            ));
        }
    }
    if !shape.triggers.is_empty() {
        let list = shape.triggers.join(", ");
        plan.notes.push(say!("triggers also run for what wxops writes: {list}"; "wxops 写入时也会触发：{list}"));
    }
}
