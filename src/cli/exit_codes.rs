//! `wxops help exit-codes`: the table that crontabs and units rely on.

use crate::error::{Lang, Result};
use crate::report::{Column, Exit, Out, Row, exits};

const COLUMNS: &[Column] = &[Column("CODE", "退出码"), Column("MEANING", "含义"), Column("CRON SHOULD", "cron 应当")];

struct Code {
    exit: Exit,
    lang: Lang,
}

/// Lists them.
pub(super) fn show(out: &mut Out) -> Result<()> {
    let lang = out.lang;
    let mut list = out.list(COLUMNS);
    for exit in exits() {
        list.row(&Code { exit, lang })?;
    }
    list.end().map(drop)
}

impl Row for Code {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "code": self.exit.code, "meaning": self.exit.meaning.en, "cron": self.exit.cron.en })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.exit.code.to_string(),
            self.exit.meaning.in_lang(self.lang).to_owned(),
            self.exit.cron.in_lang(self.lang).to_owned(),
        ]
    }
}
