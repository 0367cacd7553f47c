//! `wxops queue validate`.

use crate::app::open_queue;
use crate::commands::Context;
use crate::config::Capture;
use crate::error::{Error, Lang, Result, Text};
use crate::report::Report;
use crate::say;
use crate::store::queue::{Checked, Wish};
use serde_json::{Value, json};

/// Find what has drifted since the queue was installed
///
/// A column dropped, a trigger or procedure missing or another one, a definer
/// that is gone, an index missing, rows of another clock: each with what mends
/// it. Changes nothing. Exit 1 where something was found.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue validate")]
pub struct Validate {}

struct Shown {
    place: String,
    capture: Capture,
    checked: Checked,
}

impl Validate {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let config = context.config()?;
        let capture = config.queue.capture;
        let db = open_queue(config, false).await?;
        let source = config.queue.source();
        let wish = Wish { source: &source, by_trigger: capture == Capture::Trigger, definer: None, demo: false };
        let checked = db.check(&wish).await.map_err(|error| db.named(error))?;
        let count = checked.drifts.len();
        let shown = Shown { place: db.place().to_owned(), capture, checked };
        match count {
            // In cron -q says nothing while all is well.
            0 => context.out.report(&shown),
            _ => context.out.show(&shown).and(Err(Error::failed(
                say!("the queue is not as it should be: {count} found"; "队列状态不符：发现 {count} 处"),
            )
            .next(say!("mend what is named above, then run this again"; "请按上面的提示修复，然后重试")))),
        }
    }
}

impl Report for Shown {
    fn json(&self) -> Value {
        let text = |text: &Text| json!({ "en": text.en, "zh": text.zh });
        let drifts: Vec<_> = self
            .checked
            .drifts
            .iter()
            .map(|drift| json!({ "kind": drift.kind, "name": drift.name, "what": text(&drift.what), "mend": text(&drift.mend) }))
            .collect();
        let unseen: Vec<_> = self.checked.unseen.iter().map(text).collect();
        json!({
            "place": self.place,
            "capture": self.capture.as_str(),
            "ok": self.checked.drifts.is_empty(),
            "findings": drifts,
            "not_looked_at": unseen,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let mut lines: Vec<String> = Vec::new();
        for drift in &self.checked.drifts {
            let (what, mend) = (&drift.what, &drift.mend);
            let (en, zh, mend_en, mend_zh) = (&what.en, &what.zh, &mend.en, &mend.zh);
            let line = say!("wrong: {en}; next: {mend_en}"; "不符：{zh}；下一步：{mend_zh}");
            lines.push(line.in_lang(lang).to_owned());
        }
        for text in &self.checked.unseen {
            let (en, zh) = (&text.en, &text.zh);
            lines.push(say!("not looked at: {en}"; "未检查：{zh}").in_lang(lang).to_owned());
        }
        if self.checked.drifts.is_empty() {
            let place = &self.place;
            let fine = say!("the queue in {place} stands as it should"; "{place} 中的队列状态正常");
            lines.push(fine.in_lang(lang).to_owned());
        }
        lines.join("\n")
    }
}
