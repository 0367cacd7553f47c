//! `wxops db status`.

use crate::commands::Context;
use crate::error::{Lang, Result};
use crate::report::Report;
use crate::say;
use crate::store::{Applied, Dialect, SchemaState};
use serde_json::{Value, json};

/// Show what is applied
///
/// Exit 78 where something is missing or newer than this wxops.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops db status --json")]
pub struct Status {}

pub(super) struct Shown {
    database: &'static str,
    state: SchemaState,
    /// At which offset user_mapping was taken over.
    taken_over: Option<String>,
}

impl Status {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let store = super::open(context, false).await?;
        let database = match store.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::MySql => "mysql",
        };
        let state = store.schema().await?;
        let taken_over = if state.begun() { store.taken_over().await? } else { None };
        context.out.show(&Shown { database, state, taken_over })?;
        store.check_schema().await
    }
}

impl Shown {
    pub(super) fn file(file: &Applied) -> Value {
        json!({ "version": file.version.to_string(), "name": file.name, "applied": file.applied })
    }
}

impl Report for Shown {
    fn json(&self) -> Value {
        let files: Vec<_> = self.state.files.iter().map(Shown::file).collect();
        let newer: Vec<_> = self.state.newer.iter().map(i64::to_string).collect();
        json!({ "database": self.database, "files": files, "newer": newer, "taken_over": self.taken_over })
    }

    fn text(&self, lang: Lang) -> String {
        let lines = self.state.files.iter().map(|file| {
            let (version, name) = (file.version, &file.name);
            match file.applied {
                true => say!("{version:04} {name}  applied"; "{version:04} {name}  已应用"),
                false => say!("{version:04} {name}  missing"; "{version:04} {name}  未应用"),
            }
        });
        let newer = self
            .state
            .newer
            .iter()
            .map(|version| say!("{version:04}  unknown to this wxops"; "{version:04}  本程序不认识"));
        let taken_over = self.taken_over.iter().map(
            |offset| say!("user_mapping  taken over, times at {offset}"; "user_mapping  已接管，时间偏移 {offset}"),
        );
        lines.chain(newer).chain(taken_over).map(|line| line.in_lang(lang).to_owned()).collect::<Vec<_>>().join("\n")
    }
}
