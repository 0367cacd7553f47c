//! `wxops db migrate`.

use super::status::Shown;
use crate::commands::Context;
use crate::error::{Lang, Result};
use crate::report::Report;
use crate::say;
use crate::store::Applied;

/// Apply what is missing of the schema
///
/// Safe twice and by two at once; refuses a schema that is newer.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops db migrate --dry-run")]
pub struct Migrate {
    /// Show what would be applied
    #[arg(short = 'n', long)]
    dry_run: bool,
}

struct Migrated {
    applied: Vec<Applied>,
    dry_run: bool,
}

impl Migrate {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let store = super::open(context, !self.dry_run).await?;
        let before = store.schema().await?;
        if !self.dry_run {
            store.migrate().await?;
        }
        let applied = before.files.into_iter().filter(|file| !file.applied).collect();
        context.out.report(&Migrated { applied, dry_run: self.dry_run })
    }
}

impl Report for Migrated {
    fn json(&self) -> serde_json::Value {
        let files: Vec<_> = self.applied.iter().map(Shown::file).collect();
        serde_json::json!({ "applied": files, "dry_run": self.dry_run })
    }

    fn text(&self, lang: Lang) -> String {
        if self.applied.is_empty() {
            return say!("nothing to do: the schema is up to date"; "无需迁移：数据库结构已是最新")
                .in_lang(lang)
                .to_owned();
        }
        let lines = self.applied.iter().map(|file| {
            let (version, name) = (file.version, &file.name);
            match self.dry_run {
                true => say!("would apply {version:04} {name}"; "将应用 {version:04} {name}"),
                false => say!("applied {version:04} {name}"; "已应用 {version:04} {name}"),
            }
        });
        lines.map(|line| line.in_lang(lang).to_owned()).collect::<Vec<_>>().join("\n")
    }
}
