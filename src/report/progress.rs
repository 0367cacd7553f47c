//! How far a job is, on stderr: a line that is drawn over on a terminal, else a line in 30 s.

use super::{escape, spoken};
use crate::error::{Lang, Text};
use crate::say;
use std::io::Write;
use std::time::{Duration, Instant};

/// How often the line on a terminal is drawn.
const DRAW: Duration = Duration::from_millis(100);
/// How often a line is written elsewhere.
const WRITE: Duration = Duration::from_secs(30);

/// A job on its way; what is drawn goes away with it.
#[derive(Debug)]
pub struct Progress {
    /// `None`: nothing is shown.
    every: Option<Duration>,
    bar: bool,
    lang: Lang,
    start: Instant,
    next: Instant,
}

impl Progress {
    pub(super) fn new(quiet: bool, bar: bool, lang: Lang) -> Self {
        let every = if bar { DRAW } else { WRITE };
        let start = Instant::now();
        let next = if bar { start } else { start + every };
        Progress { every: (!quiet).then_some(every), bar, lang, start, next }
    }

    /// Tells that this part (0 to 1) is done, where it is time to.
    pub fn tell(&mut self, part: f64, done: impl FnOnce() -> Text) {
        let Some(every) = self.every.filter(|_| Instant::now() >= self.next) else { return };
        self.next = Instant::now() + every;
        let line = line(part, self.start.elapsed(), &done(), self.lang);
        let line = escape(&line);
        let line = if self.bar { format!("\r\u{1b}[K{line}") } else { format!("{line}\n") };
        spoken();
        // A stderr that is gone is no reason to fail.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.bar && self.every.is_some() {
            let _ = std::io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

fn line(part: f64, took: Duration, done: &Text, lang: Lang) -> String {
    let percent = (part.clamp(0.0, 1.0) * 100.0) as u8;
    let (en, zh) = (&done.en, &done.zh);
    let said = if part < 0.01 {
        say!("{percent} %, {en}"; "{percent}%，{zh}")
    } else {
        let left = (took.as_secs_f64() * (1.0 - part.min(1.0)) / part).ceil();
        say!("{percent} %, {en}, about {left} s left"; "{percent}%，{zh}，约剩 {left} 秒")
    };
    said.in_lang(lang).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_long_it_still_takes() {
        let done = say!("300 rows"; "300 行");
        let at = |part, lang| line(part, Duration::from_secs(3), &done, lang);
        assert_eq!(at(0.0, Lang::En), "0 %, 300 rows");
        assert_eq!(at(0.25, Lang::En), "25 %, 300 rows, about 9 s left");
        assert_eq!(at(1.0, Lang::Zh), "100%，300 行，约剩 0 秒");
    }
}
