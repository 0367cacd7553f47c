//! A verb's result, as a table for people or JSON for programs. Only results go to stdout.

mod escape;
mod exits;
mod failure;
mod life;
mod list;
mod log;
mod place;
mod progress;
mod span;
mod table;
mod tail;
mod veil;

pub use escape::{escape, json_line};
pub use exits::{Exit, exits};
pub use failure::{causes as failure_causes, json as failure_json, line as failure_line};
pub use life::{Endless, signs as signs_of_life, spoken};
pub use list::{Column, List, Row};
pub use log::{LogFormat, Logs};
pub use progress::Progress;
pub use span::{span, time_local};
pub use table::table;
pub use tail::{keep as keep_log, tail as log_tail};
pub use veil::{keep_secret, veiled};

use crate::error::{Error, Lang, Result, Text};
use crate::say;
use std::io::{BufWriter, ErrorKind, Write};

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One object, or one object a line for lists.
    Json,
}

/// What a verb returns.
pub trait Report {
    /// For programs: one object, stable, times in RFC 3339, ids as text.
    fn json(&self) -> serde_json::Value;
    /// For people; may have several lines. Values from outside go through [`escape`].
    fn text(&self, lang: Lang) -> String;
}

/// Where results go.
pub struct Out {
    /// Table or JSON.
    pub format: Format,
    /// The language for people.
    pub lang: Lang,
    /// `-q`: on success nothing is said about what was done.
    pub quiet: bool,
    /// Whether stderr is a terminal on which a line may be drawn over.
    pub bars: bool,
    stdout: Box<dyn Write + Send>,
    closed: bool,
}

impl Out {
    /// Results to stdout.
    pub fn stdout(format: Format, lang: Lang, quiet: bool) -> Self {
        Self::to(Box::new(BufWriter::new(std::io::stdout())), format, lang, quiet)
    }

    /// Results to any place, for tests.
    pub fn to(stdout: Box<dyn Write + Send>, format: Format, lang: Lang, quiet: bool) -> Self {
        Out { format, lang, quiet, bars: false, stdout, closed: false }
    }

    /// Says what was done; nothing with `-q`.
    pub fn report(&mut self, report: &impl Report) -> Result<()> {
        if self.quiet { Ok(()) } else { self.show(report) }
    }

    /// Shows what was asked for; also with `-q`, because it is why the verb was called.
    pub fn show(&mut self, report: &impl Report) -> Result<()> {
        let text = match self.format {
            Format::Json => json_line(&report.json()),
            Format::Table => report.text(self.lang).trim_end().to_owned(),
        };
        // A report may quote an error.
        self.line(&veiled(&text))?;
        self.flush()
    }

    /// Begins a list; its rows are shown as they come.
    pub fn list<'a>(&'a mut self, columns: &'a [Column]) -> List<'a> {
        List::new(self, columns)
    }

    /// A remark for people on stderr; nothing with `-q` or in JSON.
    pub fn note(&self, text: &Text) {
        self.notes().say(text);
    }

    /// The way of remarks alone, for whoever has no results.
    pub fn notes(&self) -> Notes {
        Notes { shown: !self.quiet && self.format == Format::Table, lang: self.lang }
    }

    /// Begins to tell on stderr how far a job is; nothing with `-q`.
    pub fn progress(&self) -> Progress {
        Progress::new(self.quiet, self.bars, self.lang)
    }

    /// Whether the reader of stdout went away (`| head -1`): the command then ends quietly.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Hands everything to the reader.
    pub fn flush(&mut self) -> Result<()> {
        let done = self.stdout.flush();
        self.written(done)
    }

    /// Hands out bytes as they are; for exports.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        spoken();
        let done = self.stdout.write_all(bytes);
        self.written(done)
    }

    fn line(&mut self, text: &str) -> Result<()> {
        spoken();
        let done = writeln!(self.stdout, "{text}");
        self.written(done)
    }

    fn written(&mut self, done: std::io::Result<()>) -> Result<()> {
        let Err(error) = done else { return Ok(()) };
        self.closed |= error.kind() == ErrorKind::BrokenPipe;
        Err(Error::failed(say!("writing the result failed: {error}"; "写出结果失败：{error}")).source(error))
    }
}

/// Remarks for people on stderr; none with `-q` or in JSON.
#[derive(Debug, Clone, Copy)]
pub struct Notes {
    shown: bool,
    /// The language for people.
    pub lang: Lang,
}

impl Notes {
    /// Says it.
    pub fn say(self, text: &Text) {
        if self.shown {
            // A stderr that is gone is no reason to fail.
            let line = format!("{}\n", veiled(&escape(text.in_lang(self.lang))));
            tail::add(&line);
            let _ = life::stderr().write_all(line.as_bytes());
        }
    }
}

#[cfg(test)]
mod testing {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panics while it writes").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// An `Out` and what was written to it so far.
    pub fn captured(format: Format, lang: Lang) -> (Out, impl Fn() -> String) {
        let kept = Kept::default();
        let out = Out::to(Box::new(kept.clone()), format, lang, false);
        let text = move || {
            let bytes = kept.0.lock().expect("no test panics while it writes").clone();
            String::from_utf8(bytes).expect("only text is written")
        };
        (out, text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Done;

    impl Report for Done {
        fn json(&self) -> serde_json::Value {
            serde_json::json!({"done": 3})
        }
        fn text(&self, lang: Lang) -> String {
            say!("3 done\n"; "完成 3 条\n").in_lang(lang).to_owned()
        }
    }

    #[test]
    fn quiet_hides_what_was_done_but_not_what_was_asked_for() {
        let (mut out, text) = testing::captured(Format::Table, Lang::Zh);
        out.report(&Done).unwrap();
        out.quiet = true;
        out.report(&Done).unwrap();
        out.format = Format::Json;
        out.report(&Done).unwrap();
        out.show(&Done).unwrap();
        assert_eq!(text(), "完成 3 条\n{\"done\":3}\n");
    }

    #[test]
    fn a_reader_that_left_is_noticed() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut out = Out::to(Box::new(BufWriter::new(writer)), Format::Json, Lang::En, false);
        assert!(out.show(&Done).is_err() && out.closed());
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut out = Out::to(Box::new(full), Format::Json, Lang::En, false);
        let error = out.show(&Done).unwrap_err();
        assert!(!out.closed() && error.what.en.contains("No space left"), "{error}");
    }
}
