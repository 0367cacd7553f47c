//! `doctor --origins`: what every setting is, and where it came from.

use crate::commands::Context;
use crate::config::{Config, Effective, Origin};
use crate::error::Result;
use crate::report::{Column, Row, veiled};
use serde_json::{Value, json};

const COLUMNS: &[Column] = &[Column("SETTING", "配置项"), Column("VALUE", "值"), Column("FROM", "来源")];
/// For tests only; no page names it.
const HIDDEN: &str = "WXOPS_CLOCK_FILE";

struct Line<'a>(Effective<'a>);

impl Row for Line<'_> {
    fn json(&self) -> Value {
        let Effective { name, value, origin } = &self.0;
        let mut from = match origin {
            Origin::Flag => json!({ "source": "flag" }),
            Origin::Env(variable) => json!({ "source": "environment", "variable": variable }),
            Origin::DotEnv { path, line } => json!({ "source": "dotenv", "path": path, "line": line }),
            Origin::File { path, line } => json!({ "source": "file", "path": path, "line": line }),
            Origin::Credential(path) => json!({ "source": "credential", "path": path }),
            Origin::SecretFile { path, named } => {
                json!({ "source": "secret_file", "path": path, "named_by": named.brief() })
            }
            Origin::Default => json!({ "source": "default" }),
        };
        from["text"] = origin.brief().into();
        json!({ "setting": name, "value": value, "from": from })
    }

    fn cells(&self) -> Vec<String> {
        let Effective { name, value, origin } = &self.0;
        vec![(*name).to_owned(), value.clone().unwrap_or_else(|| "-".into()), origin.brief()]
    }
}

pub(super) fn show(context: &mut Context, config: &Config) -> Result<()> {
    let mut list = context.out.list(COLUMNS);
    for mut setting in config.origins.settings() {
        // A secret that was written where a plain value belongs.
        setting.value = setting.value.map(|value| veiled(&value).into_owned());
        if setting.name != HIDDEN || setting.value.is_some() {
            list.row(&Line(setting))?;
        }
    }
    list.end().map(drop)
}
