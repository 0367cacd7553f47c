//! `--where` and `--explain`, for the verbs that ask for many people.

use crate::app::App;
use crate::commands::{Context, time_json};
use crate::domain::filter::Filter;
use crate::error::{Lang, Result};
use crate::report::{Report, escape};
use crate::say;
use crate::store::{FollowerFilter, Statement, Value};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(super) struct Where {
    /// Only whom it finds: 'sex = 2 and follow_time >= -30d'
    #[arg(long = "where", value_name = "FILTER")]
    text: Option<String>,
    /// Show how many are found, and by which SQL, instead
    #[arg(long)]
    explain: bool,
}

impl Where {
    /// Reads the filter, before anything is opened.
    pub fn filter(&self, context: &Context) -> Result<Option<Filter>> {
        let Some(text) = &self.text else { return Ok(None) };
        Filter::parse(text, context.config()?.clock.now_ms()).map(Some)
    }

    /// Warns of names that no tag has. With `--explain`, explains; then there is nothing else to do.
    pub async fn settle(&self, context: &mut Context, app: &App, filter: &FollowerFilter) -> Result<bool> {
        let names = filter.matching.as_ref().map_or_else(Vec::new, Filter::tag_names);
        if !names.is_empty() {
            for name in app.store.unknown_tags(&names).await? {
                let warning =
                    say!("no tag has the name {name:?}: nobody has it"; "没有名为 {name:?} 的标签：无人带有它");
                tracing::warn!("{}", warning.in_lang(context.out.lang));
            }
        }
        if self.explain {
            let statement = app.store.count_statement(filter);
            let count = app.store.count_followers(filter).await?;
            context.out.show(&Explained { count, statement })?;
        }
        Ok(self.explain)
    }
}

/// How many, and the statement that counted them.
struct Explained {
    count: i64,
    statement: Statement,
}

impl Report for Explained {
    fn json(&self) -> serde_json::Value {
        let values: Vec<_> = self.statement.args.iter().map(value).collect();
        json!({ "count": self.count, "sql": self.statement.sql, "values": values })
    }

    fn text(&self, lang: Lang) -> String {
        let (count, sql) = (self.count, &self.statement.sql);
        let people = if count == 1 { "person" } else { "people" };
        let mut lines = vec![say!("{count} {people}"; "{count} 人").in_lang(lang).to_owned(), sql.to_string()];
        lines.extend(self.statement.args.iter().enumerate().map(|(at, arg)| {
            let (number, shown) = (at + 1, value(arg).to_string());
            format!("  ?{number}  {}", escape(&shown))
        }));
        lines.join("\n")
    }
}

fn value(arg: &Value) -> serde_json::Value {
    match arg {
        Value::Null | Value::Bytes(_) => serde_json::Value::Null,
        Value::Int(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Time(time) => json!(time_json(time.timestamp_millis())),
    }
}
