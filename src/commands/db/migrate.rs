//! `wxops db migrate`.

use super::adopt::{Adoption, Asked};
use super::status::Shown;
use crate::commands::Context;
use crate::error::{Lang, Result};
use crate::report::Report;
use crate::say;
use crate::store::Applied;

/// Apply what is missing of the schema
///
/// Safe twice and by two at once; refuses a schema that is newer. With --adopt
/// it takes over a user_mapping in MySQL that another program made and goes on
/// writing: it shows what it would change, asks, and adds columns and keys; it
/// never narrows, renames or drops.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops db migrate --dry-run")]
pub struct Migrate {
    /// Take over a user_mapping that another program writes
    #[arg(long)]
    adopt: bool,
    /// Print the SQL to be run by hand, and change nothing
    #[arg(long)]
    print_sql: bool,
    /// Show what would be applied
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Take the table over without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

struct Migrated {
    applied: Vec<Applied>,
    dry_run: bool,
    adoption: Option<Adoption>,
}

/// What a person runs by hand.
struct Sql(String);

impl Migrate {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let looks = self.dry_run || self.print_sql;
        let store = super::open(context, !looks).await?;
        let before = store.refuse_newer().await?;
        let asked = if self.adopt { Some(Asked::of(context)?) } else { None };
        let adoption = match &asked {
            Some(asked) => asked.look(&store).await?,
            None => None,
        };
        match &adoption {
            Some(adoption) => adoption.refuse_problems(context)?,
            None if !before.begun() => store.refuse_another().await?,
            None => {}
        }
        if self.print_sql {
            let sql = store.schema_by_hand(adoption.as_ref().and_then(Adoption::sql)).await?;
            return context.out.show(&Sql(sql));
        }
        let applied = before.files.into_iter().filter(|file| !file.applied).collect();
        let mut migrated = Migrated { applied, dry_run: self.dry_run, adoption };
        if self.dry_run {
            return context.out.report(&migrated);
        }
        if let (Some(asked), Some(adoption)) = (&asked, &mut migrated.adoption) {
            adoption.agree(context, self.yes).await?;
            adoption.carry_out(asked, &store).await?;
        }
        store.migrate().await?;
        if let (Some(asked), None) = (&asked, &migrated.adoption) {
            migrated.adoption = asked.mark_own(&store).await?;
        }
        context.out.report(&migrated)
    }
}

impl Report for Migrated {
    fn json(&self) -> serde_json::Value {
        let files: Vec<_> = self.applied.iter().map(Shown::file).collect();
        let mut json = serde_json::json!({ "applied": files, "dry_run": self.dry_run });
        if let Some(adoption) = &self.adoption {
            json["adopt"] = adoption.json();
        }
        json
    }

    fn text(&self, lang: Lang) -> String {
        let mut lines: Vec<String> = self.adoption.iter().map(|adoption| adoption.text(lang)).collect();
        if self.applied.is_empty() && self.adoption.as_ref().is_none_or(Adoption::is_idle) {
            let nothing = say!("nothing to do: the schema is up to date"; "无需迁移：数据库结构已是最新");
            lines.push(nothing.in_lang(lang).to_owned());
        }
        lines.extend(self.applied.iter().map(|file| {
            let (version, name) = (file.version, &file.name);
            let line = match self.dry_run {
                true => say!("would apply {version:04} {name}"; "将应用 {version:04} {name}"),
                false => say!("applied {version:04} {name}"; "已应用 {version:04} {name}"),
            };
            line.in_lang(lang).to_owned()
        }));
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }
}

impl Report for Sql {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "sql": self.0 })
    }

    fn text(&self, _: Lang) -> String {
        match self.0.as_str() {
            "" => "-- nothing to do: the schema is up to date".to_owned(),
            sql => sql.to_owned(),
        }
    }
}
