//! What is to be done for the queue to stand, found by a look and carried out in order: tables before triggers.

use super::super::Dialect;
use super::QueueDb;
use super::columns::Members;
use super::schema::{self, ON_INSERT, ON_UPDATE, QUEUE, Table, quoted};
use super::script::{for_shell, meaning};
use super::standing::{Standing, StandingTrigger};
use super::trigger::{Definer, Trigger, catch_up, triggers};
use crate::domain::notice::Source;
use crate::error::{Error, Result};
use crate::say;

/// Rows of the queue among which the highest member is the last one: ids commit out of order.
const LATEST: u32 = 1000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// The members, and what is told of them.
    pub source: &'a Source,
    /// By a trigger; else by looking for new members.
    pub by_trigger: bool,
    /// As whom the triggers run; `None`: as who installs them.
    pub definer: Option<&'a Definer>,
    /// Whether a table of members is made where there is none.
    pub demo: bool,
}

/// How it is with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It stands as it should.
    There,
    /// It is missing, and made.
    Made,
    /// It lacks something that is added.
    Added,
    /// It is another one, and replaced.
    Replaced,
    /// It is not asked for, and dropped.
    Dropped,
}

impl Done {
    /// For programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Done::There => "there",
            Done::Made => "made",
            Done::Added => "added",
            Done::Replaced => "replaced",
            Done::Dropped => "dropped",
        }
    }
}

/// One thing of the queue, and what is done about it.
#[derive(Debug, Clone)]
pub struct Step {
    /// table, procedure, trigger
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// How it is with it.
    pub done: Done,
    sql: Vec<String>,
}

/// All of them, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One a thing.
    pub steps: Vec<Step>,
    dialect: Dialect,
    /// Brings members in that no trigger saw; where that can be.
    catch_up: Option<String>,
    /// The highest id of the members.
    highest: String,
    /// Whether the members are looked for.
    polls: bool,
    /// Members that came while there was no trigger: they are brought in.
    pub unseen: i64,
}

impl Plan {
    /// Whether everything stands.
    pub fn is_idle(&self) -> bool {
        self.steps.iter().all(|step| step.done == Done::There)
    }

    /// Its statements as the database's shell takes them.
    pub fn sql(&self) -> String {
        for_shell(&self.statements(), self.dialect == Dialect::MySql)
    }

    fn makes_trigger(&self) -> bool {
        self.steps.iter().any(|step| step.name == ON_INSERT && matches!(step.done, Done::Made | Done::Replaced))
    }

    fn replaces_trigger(&self) -> bool {
        self.steps.iter().any(|step| step.name == ON_INSERT && step.done == Done::Replaced)
    }

    fn statements(&self) -> Vec<String> {
        self.steps.iter().flat_map(|step| step.sql.clone()).collect()
    }
}

impl QueueDb {
    /// What is to be done. Refuses members that can't be told of, and a queue that another program made.
    pub async fn plan(&self, wish: &Wish<'_>) -> Result<Plan> {
        let (dialect, source) = (self.dialect(), wish.source);
        let mut steps = Vec::new();
        let members = match (self.members(&source.table).await?, schema::demo(dialect, &source.table)) {
            (Some(members), _) => {
                steps.extend(wish.demo.then(|| Step {
                    kind: "table",
                    name: source.table.clone(),
                    done: Done::There,
                    sql: vec![],
                }));
                members
            }
            (None, Some(demo)) if wish.demo => {
                steps.push(Step {
                    kind: "table",
                    name: demo.name.clone(),
                    done: Done::Made,
                    sql: vec![demo.sql.clone()],
                });
                Members::of(&demo)
            }
            (None, _) => return Err(self.no_members(&source.table)),
        };
        members.check(source, self.place())?;
        for table in schema::tables(dialect) {
            let standing = self.standing(&table.name).await?;
            steps.push(self.table_step(&table, standing.as_ref())?);
        }
        for procedure in schema::procedures(dialect) {
            let standing = self.standing_procedure(&procedure.name).await?;
            let same = |body: &String| body.is_empty() || meaning(body) == meaning(&procedure.body);
            let done = match &standing {
                None => Done::Made,
                Some(body) if same(body) => Done::There,
                Some(_) => Done::Replaced,
            };
            let sql = if done == Done::There { vec![] } else { procedure.sql };
            steps.push(Step { kind: "procedure", name: procedure.name, done, sql });
        }
        let wanted = if wish.by_trigger { triggers(dialect, source, &members) } else { Vec::new() };
        let standing = self.standing_triggers().await?;
        let verb = if self.is_mariadb().await? { "CREATE OR REPLACE" } else { "CREATE" };
        for name in [ON_INSERT, ON_UPDATE] {
            let standing = standing.iter().find(|trigger| trigger.name == name);
            let wanted = wanted.iter().find(|trigger| trigger.name == name);
            steps.extend(trigger_step(dialect, verb, wish, standing, wanted));
        }
        let (id, table) = (quoted(dialect, &source.id), quoted(dialect, &source.table));
        let mut plan = Plan {
            steps,
            dialect,
            catch_up: Some(catch_up(dialect, source, &members)),
            highest: format!("SELECT CAST(COALESCE(MAX({id}), 0) AS SIGNED) FROM {table}"),
            polls: !wish.by_trigger,
            unseen: 0,
        };
        if plan.makes_trigger()
            && let Some(last) = self.last_told().await?
        {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {id} > ?");
            plan.unseen = self.row(&sql, vec![last.into()], |row| row.int(0)).await?.unwrap_or(0);
        }
        Ok(plan)
    }

    fn table_step(&self, table: &Table, standing: Option<&Standing>) -> Result<Step> {
        let step = |done, sql| Ok(Step { kind: "table", name: table.name.clone(), done, sql });
        let Some(standing) = standing else {
            let indexes = table.indexes.iter().filter(|_| self.dialect() == Dialect::Sqlite);
            return step(
                Done::Made,
                [&table.sql].into_iter().chain(indexes.map(|index| &index.sql)).cloned().collect(),
            );
        };
        let (lacks, unlike) = (standing.lacks(table), standing.unlike(table, self.dialect()));
        let never: Vec<_> =
            lacks.iter().filter(|column| !column.can_be_added()).map(|column| column.name.as_str()).collect();
        if !unlike.is_empty() || !never.is_empty() {
            let unlike = unlike.iter().map(|(is, wanted)| (is.name.clone(), is.kind.clone(), wanted.written.clone()));
            return Err(self.anothers(&table.name, &never, unlike.collect()));
        }
        let add = |column: &&schema::Column| {
            format!("ALTER TABLE {} ADD COLUMN {} {}", table.name, column.name, column.written)
        };
        let mut sql: Vec<String> = lacks.iter().map(add).collect();
        sql.extend(standing.lacks_indexes(table).iter().map(|index| index.sql.clone()));
        step(if sql.is_empty() { Done::There } else { Done::Added }, sql)
    }

    /// Carries a plan out; tells how many members were brought in that no trigger saw.
    pub async fn carry_out(&self, plan: &Plan) -> Result<u64> {
        let before = self.before(plan).await?;
        if self.dialect() == Dialect::Sqlite {
            self.ddl(&plan.statements()).await.map_err(|(_, error)| error)?;
        } else {
            for step in &plan.steps {
                self.ddl(&step.sql).await.map_err(|(_, error)| error)?;
            }
        }
        let told = match (&plan.catch_up, before) {
            (Some(sql), Some(before)) => self.bring_in(sql, before, i64::MAX).await?,
            _ => 0,
        };
        if plan.polls {
            self.begin_to_look(&plan.highest).await?;
        } else {
            self.end_to_look().await?;
        }
        Ok(told)
    }

    /// Beyond which id members may have come, or come now, while there is no trigger; `None`: there is one all the time, or
    /// nobody was told of yet.
    async fn before(&self, plan: &Plan) -> Result<Option<i64>> {
        if !plan.makes_trigger() {
            return Ok(None);
        }
        match self.last_told().await? {
            Some(last) => Ok(Some(last)),
            // Between DROP and CREATE.
            None if plan.replaces_trigger() => self.row(&plan.highest, vec![], |row| row.int(0)).await,
            None => Ok(None),
        }
    }

    /// The last member that came into the queue, by whichever way; `None` where none has.
    async fn last_told(&self) -> Result<Option<i64>> {
        if let Some(done) = self.looked_up_to().await? {
            return Ok(Some(done));
        }
        if self.standing(QUEUE).await?.is_none_or(|queue| !queue.columns.iter().any(|it| it.name == "member_id")) {
            return Ok(None);
        }
        // Not the highest of all: only its id has an index.
        let sql = format!(
            "SELECT MAX(member_id) FROM (SELECT member_id FROM {QUEUE} WHERE notification_type = 'member_created' \
             ORDER BY id DESC LIMIT {LATEST}) latest"
        );
        Ok(self.row(&sql, vec![], |row| row.opt_int(0)).await?.flatten())
    }

    /// Members of these ids that are not in the queue.
    pub(super) async fn bring_in(&self, catch_up: &str, after: i64, up_to: i64) -> Result<u64> {
        let statement = super::super::value::stmt!(catch_up.to_owned(), after, up_to);
        Ok(self.commit(vec![statement]).await?.first().copied().unwrap_or(0))
    }

    /// The refusal of a database without members.
    pub(super) fn no_members(&self, table: &str) -> Error {
        let (place, setting) = (self.place(), self.setting());
        Error::config(say!("there is no table {table} in {place}"; "{place} 中没有表 {table}")).next(say!(
            "set {setting} to the CRM's database, or queue.members_table to its table; to try it out: --demo";
            "请把 {setting} 设为 CRM 的数据库，或把 queue.members_table 设为其会员表；试用请加 --demo"
        ))
    }

    fn anothers(&self, table: &str, lacks: &[&str], unlike: Vec<(String, String, String)>) -> Error {
        let place = self.place();
        let (mut en, mut zh) = (Vec::new(), Vec::new());
        if !lacks.is_empty() {
            en.push(format!("it lacks {}", lacks.join(", ")));
            zh.push(format!("缺少 {}", lacks.join("、")));
        }
        for (name, is, wanted) in unlike {
            en.push(format!("{name} is {is}, not {wanted}"));
            zh.push(format!("{name} 是 {is}，而不是 {wanted}"));
        }
        let (en, zh) = (en.join("; "), zh.join("；"));
        Error::config(
            say!("{table} in {place} was made by another program: {en}"; "{place} 中的 {table} 由其他程序创建：{zh}"),
        )
        .next(say!(
            "stop that program, rename its table (ALTER TABLE {table} RENAME TO {table}_old), then run this again";
            "请停用该程序，把它的表改名（ALTER TABLE {table} RENAME TO {table}_old），然后重试"
        ))
    }
}

fn trigger_step(
    dialect: Dialect,
    verb: &str,
    wish: &Wish<'_>,
    standing: Option<&StandingTrigger>,
    wanted: Option<&Trigger>,
) -> Option<Step> {
    let step = |name: &str, done, sql| Some(Step { kind: "trigger", name: name.to_owned(), done, sql });
    let drop = |name: &str| format!("DROP TRIGGER IF EXISTS {name}");
    match (standing, wanted) {
        (None, None) => None,
        (Some(standing), None) => step(&standing.name, Done::Dropped, vec![drop(&standing.name)]),
        (None, Some(wanted)) => step(wanted.name, Done::Made, vec![wanted.sql(dialect, "CREATE", wish.definer)]),
        (Some(standing), Some(wanted)) => {
            let same_table = standing.table.eq_ignore_ascii_case(&wish.source.table);
            if same_table && is_same(dialect, standing, wanted, wish.definer) {
                return step(wanted.name, Done::There, vec![]);
            }
            // OR REPLACE leaves no moment without a trigger, on the same table.
            let replace = verb == "CREATE OR REPLACE" && same_table;
            let make = wanted.sql(dialect, if replace { verb } else { "CREATE" }, wish.definer);
            let sql = if replace { vec![make] } else { vec![drop(wanted.name), make] };
            step(wanted.name, Done::Replaced, sql)
        }
    }
}

/// Whether a trigger does what it should, as whom it should.
pub(super) fn is_same(
    dialect: Dialect,
    standing: &StandingTrigger,
    wanted: &Trigger,
    definer: Option<&Definer>,
) -> bool {
    let text = match dialect {
        Dialect::MySql => wanted.body.clone(),
        Dialect::Sqlite => wanted.sql(dialect, "CREATE", None),
    };
    let runs_as = definer.is_none_or(|definer| standing.definer == definer.catalogue());
    runs_as && meaning(&standing.text) == meaning(&text)
}
