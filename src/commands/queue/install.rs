//! `wxops queue install`.

use crate::app::open_queue;
use crate::commands::Context;
use crate::config::Capture;
use crate::error::{Error, Lang, Result};
use crate::report::{Format, Report};
use crate::say;
use crate::store::Dialect;
use crate::store::queue::{Definer, Done, Plan, QueueDb, Wish};
use serde_json::{Value, json};

/// Put the queue and its trigger beside the CRM's members
///
/// Each new member then makes a row of member_notification_queue, whoever
/// registers it. Looks at the table of members first and refuses what does not
/// fit; shows what it would do, and asks. Safe twice: what stands is left, what
/// is another one is replaced.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue install --demo")]
pub struct Install {
    /// Print the SQL to be run by hand, and change nothing
    #[arg(long)]
    print_sql: bool,
    /// Show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// The database user that the triggers run as, such as crm@localhost
    #[arg(long, value_name = "USER@HOST")]
    definer: Option<String>,
    /// How new members are found; poll looks for new ids and needs no trigger
    #[arg(long, value_enum)]
    capture: Option<How>,
    /// Make a table of members where there is none, to try it out
    #[arg(long)]
    demo: bool,
    /// Do it without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

/// How new members are found.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum How {
    Trigger,
    Poll,
}

struct Installed {
    plan: Plan,
    dialect: Dialect,
    place: String,
    members: String,
    capture: Capture,
    dry_run: bool,
    told: u64,
}

/// What a person runs by hand.
struct Sql(String);

impl Install {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let config = context.config()?;
        let capture = match self.capture {
            Some(How::Trigger) => Capture::Trigger,
            Some(How::Poll) => Capture::Poll,
            None => config.queue.capture,
        };
        config.queue.check_capture(capture)?;
        let definer = self.definer.as_deref().map(Definer::parse).transpose()?;
        let looks = self.dry_run || self.print_sql;
        let db = open_queue(config, self.demo && !looks).await?;
        let source = config.queue.source();
        if definer.is_some() && db.dialect() == Dialect::Sqlite {
            return Err(Error::usage(say!(
                "--definer is for MySQL and MariaDB; a trigger of SQLite runs as whoever writes";
                "--definer 用于 MySQL 与 MariaDB；SQLite 的触发器以写入者的身份运行"
            )));
        }
        let wish = Wish {
            source: &source,
            by_trigger: capture == Capture::Trigger,
            definer: definer.as_ref(),
            demo: self.demo,
        };
        let plan = db.plan(&wish).await.map_err(|error| db.named(error))?;
        if self.print_sql {
            return context.out.show(&Sql(plan.sql()));
        }
        let mut installed = Installed {
            plan,
            dialect: db.dialect(),
            place: db.place().to_owned(),
            members: source.table.clone(),
            capture,
            dry_run: self.dry_run,
            told: 0,
        };
        if !self.dry_run {
            self.agree(context, &mut installed).await?;
            installed.told = carry_out(&db, &installed.plan).await?;
            installed.dry_run = false;
        }
        context.out.report(&installed)
    }

    async fn agree(&self, context: &mut Context, installed: &mut Installed) -> Result<()> {
        if installed.plan.is_idle() || self.yes {
            return Ok(());
        }
        if context.out.format == Format::Table && !context.out.quiet {
            installed.dry_run = true;
            context.out.show(installed)?;
        }
        let (place, members) = (&installed.place, &installed.members);
        let deed = say!(
            "this changes {place}, where another program writes {members}";
            "将修改 {place}，另一程序正在其中写入 {members}"
        );
        context.confirm(false, deed).await
    }
}

async fn carry_out(db: &QueueDb, plan: &Plan) -> Result<u64> {
    db.carry_out(plan).await.map_err(|error| db.named(error))
}

impl Report for Installed {
    fn json(&self) -> Value {
        let objects: Vec<_> = self
            .plan
            .steps
            .iter()
            .map(|step| json!({ "kind": step.kind, "name": step.name, "state": step.done.as_str() }))
            .collect();
        let database = if self.dialect == Dialect::MySql { "mysql" } else { "sqlite" };
        json!({
            "database": database,
            "place": self.place,
            "members_table": self.members,
            "capture": self.capture.as_str(),
            "dry_run": self.dry_run,
            "objects": objects,
            "members_unseen": self.plan.unseen,
            "members_brought_in": self.told,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let mut lines: Vec<String> = Vec::new();
        for step in &self.plan.steps {
            let name = &step.name;
            let kind = match step.kind {
                "table" => say!("table"; "表"),
                "procedure" => say!("procedure"; "存储过程"),
                _ => say!("trigger"; "触发器"),
            };
            let (en, zh) = (kind.en, kind.zh);
            let line = match (step.done, self.dry_run) {
                (Done::There, _) => say!("{en} {name}: stands"; "{zh} {name}：已存在"),
                (Done::Made, true) => say!("{en} {name}: would be made"; "{zh} {name}：将创建"),
                (Done::Made, false) => say!("{en} {name}: made"; "{zh} {name}：已创建"),
                (Done::Added, true) => {
                    say!("{en} {name}: what it lacks would be added"; "{zh} {name}：将补上缺少的部分")
                }
                (Done::Added, false) => say!("{en} {name}: what it lacked is added"; "{zh} {name}：已补上缺少的部分"),
                (Done::Replaced, true) => say!("{en} {name}: would be replaced"; "{zh} {name}：将替换"),
                (Done::Replaced, false) => say!("{en} {name}: replaced"; "{zh} {name}：已替换"),
                (Done::Dropped, true) => say!("{en} {name}: would be dropped"; "{zh} {name}：将删除"),
                (Done::Dropped, false) => say!("{en} {name}: dropped"; "{zh} {name}：已删除"),
            };
            lines.push(line.in_lang(lang).to_owned());
        }
        let (place, members, told, unseen) = (&self.place, &self.members, self.told, self.plan.unseen);
        if self.dry_run && unseen > 0 {
            let line = say!(
                "members that no trigger saw and that would be told of: {unseen}";
                "触发器未见到、将补发通知的会员：{unseen}"
            );
            lines.push(line.in_lang(lang).to_owned());
        }
        if told > 0 {
            let line = say!("members brought in that no trigger saw: {told}"; "补入触发器未见到的会员：{told}");
            lines.push(line.in_lang(lang).to_owned());
        }
        let last = match (self.plan.is_idle(), self.capture) {
            (true, _) => say!("nothing to do: the queue stands in {place}"; "无需改动：队列已在 {place} 中就绪"),
            (false, _) if self.dry_run => say!("nothing was changed in {place}"; "未改动 {place}"),
            (false, Capture::Trigger) => {
                say!("from now on each new row of {members} in {place} is told of"; "此后 {place} 中 {members} 的每个新行都会通知")
            }
            (false, Capture::Poll) => say!(
                "from now on queue drain looks for new rows of {members} in {place}";
                "此后由 queue drain 查找 {place} 中 {members} 的新行"
            ),
        };
        lines.push(last.in_lang(lang).to_owned());
        lines.join("\n")
    }
}

impl Report for Sql {
    fn json(&self) -> Value {
        json!({ "sql": self.0 })
    }

    fn text(&self, _: Lang) -> String {
        match self.0.as_str() {
            "" => "-- nothing to do: the queue stands".to_owned(),
            sql => sql.to_owned(),
        }
    }
}
