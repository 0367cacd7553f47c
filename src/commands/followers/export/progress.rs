//! How far an export is, on stderr: on a terminal a line that changes, else one in 30 s.

use crate::error::Lang;
use crate::report::{Format, Out, spoken};
use crate::say;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(30);

pub(super) struct Progress {
    every: Duration,
    next: Instant,
    terminal: bool,
    lang: Lang,
    /// How wide the line on the terminal is.
    shown: usize,
}

impl Progress {
    /// `beside` where the rows go to the same terminal.
    pub fn new(out: &Out, beside: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !beside && !out.quiet && out.format == Format::Table;
        let every = if terminal { ON_TERMINAL } else { ELSEWHERE };
        Progress { every, next: Instant::now() + every, terminal, lang: out.lang, shown: 0 }
    }

    /// Says how many rows are written, when it is time.
    pub fn tell(&mut self, rows: u64) {
        if Instant::now() < self.next {
            return;
        }
        match self.terminal {
            true => {
                let text = say!("{rows} people"; "{rows} 人");
                self.show(text.in_lang(self.lang));
            }
            false => tracing::info!(rows, "exporting"),
        }
        self.next = Instant::now() + self.every;
    }

    fn show(&mut self, text: &str) {
        spoken();
        // A stderr that is gone is no reason to fail.
        let _ = write!(std::io::stderr(), "\r{text:<width$}", width = self.shown);
        self.shown = text.len();
    }
}

/// Whatever comes next has the line for itself.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown > 0 {
            self.show("");
            let _ = write!(std::io::stderr(), "\r");
        }
    }
}
