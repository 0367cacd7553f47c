//! All findings about one URL, as a table, as JSON, and as the error behind the exit code.

use super::finding::{Finding, Verdict};
use crate::domain::account::Mode;
use crate::error::{Error, Lang};
use crate::report::{Report, escape};
use crate::say;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// What was found about one URL.
pub struct Checked {
    /// The URL without its query.
    pub url: String,
    /// The account that was played.
    pub account: String,
    /// The mode it was played in.
    pub mode: Mode,
    /// What was found, in the order it was asked.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The first of the worst.
    fn worst(&self) -> Option<&Finding> {
        let first = |verdict| self.findings.iter().find(|finding| finding.verdict == verdict);
        first(Verdict::Failed).or_else(|| first(Verdict::Unreachable))
    }

    /// What decides the exit code: 1 for something wrong, else 69 for no answer.
    pub fn error(&self) -> Option<Error> {
        let worst = self.worst()?;
        let (url, label) = (&self.url, worst.question.label());
        let (label_en, label_zh, en, zh) = (label.en, label.zh, &worst.what.en, &worst.what.zh);
        let what = say!("{url}: {label_en}: {en}"; "{url}：{label_zh}：{zh}");
        let error = match worst.verdict {
            Verdict::Unreachable => Error::unavailable(what),
            _ => Error::failed(what),
        };
        Some(match worst.next.clone() {
            Some(next) => error.next(next),
            None => error,
        })
    }
}

impl Report for Checked {
    fn json(&self) -> Value {
        let verdict = self.worst().map_or(Verdict::Ok, |finding| finding.verdict);
        let checks: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "check": finding.question.as_str(),
                    "verdict": finding.verdict.as_str(),
                    "cause": finding.cause,
                    "message": finding.what.en,
                    "next": finding.next.as_ref().map(|next| &next.en),
                    "http_status": finding.status,
                    "seconds": finding.took.map(|took| took.as_micros() as f64 / 1e6),
                })
            })
            .collect();
        json!({
            "url": self.url,
            "account": self.account,
            "mode": self.mode.as_str(),
            "verdict": verdict.as_str(),
            "checks": checks,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let (url, account, mode) = (&self.url, &self.account, self.mode.as_str());
        let name = match self.mode {
            Mode::Plain => "明文",
            Mode::Compat => "兼容",
            Mode::Secure => "安全",
        };
        let head = say!("{url}, account {account}, {mode} mode"; "{url}，账号 {account}，{name}模式");
        let rows: Vec<_> = self.findings.iter().map(|finding| (finding, labels(finding, lang))).collect();
        let widths = rows.iter().fold((0, 0), |(left, right), (_, (verdict, question))| {
            (left.max(verdict.width()), right.max(question.width()))
        });
        let mut lines = vec![escape(head.in_lang(lang)).into_owned()];
        for (finding, (verdict, question)) in &rows {
            let row =
                [padded(verdict, widths.0), padded(question, widths.1), escape(finding.what.in_lang(lang)).into()];
            lines.push(row.join("  "));
            if let Some(next) = &finding.next {
                let indent = " ".repeat(widths.0 + widths.1 + 4);
                let word = say!("next: "; "下一步：");
                lines.push(format!("{indent}{}{}", word.in_lang(lang), escape(next.in_lang(lang))));
            }
        }
        lines.join("\n")
    }
}

fn labels(finding: &Finding, lang: Lang) -> (String, String) {
    (finding.verdict.label().in_lang(lang).to_owned(), finding.question.label().in_lang(lang).to_owned())
}

/// Filled up to a width as a terminal counts it.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
