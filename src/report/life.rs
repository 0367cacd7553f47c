//! A sign of life while a verb works and has not said anything: on a terminal a line that goes away again, elsewhere a
//! line now and then.

use crate::error::{Lang, Text};
use crate::say;
use std::io::{Stderr, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// A verb that ends sooner needs no sign. People notice a silence of 100 ms.
const FIRST: Duration = Duration::from_millis(50);
/// How often the seconds are counted on a terminal.
const ON_TERMINAL: Duration = Duration::from_secs(1);
/// How often a log or a mail hears of a verb that works.
const ELSEWHERE: Duration = Duration::from_secs(30);

/// What a verb says that ends in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endless {
    /// It stops gracefully on a signal: exit 0.
    Serves,
    /// It shows what comes until Ctrl-C: exit 130, and nothing to say about it.
    Follows,
    /// A job, which comes to a halt by itself on a signal and before `--timeout` is over: its last words are its own.
    Finishes,
}

/// The line on the terminal, which whoever writes there must wipe off first.
struct Line {
    width: usize,
    over: bool,
}

static LINE: Mutex<Line> = Mutex::new(Line { width: 0, over: false });

/// Somebody has something to say: the line goes, and does not come again.
pub fn spoken() {
    let mut line = locked();
    line.over = true;
    wipe(&mut line);
}

/// stderr, for whoever has something to say.
pub fn stderr() -> Stderr {
    spoken();
    std::io::stderr()
}

/// Shows signs of life of `verb` as long as it runs, unless it is one that is known to go on.
pub async fn signs(verb: String, lang: Lang, terminal: bool, endless: Arc<OnceLock<Endless>>) {
    let (first, then) = if terminal { (FIRST, ON_TERMINAL) } else { (ELSEWHERE, ELSEWHERE) };
    let start = tokio::time::Instant::now();
    tokio::time::sleep(first).await;
    while endless.get().is_none_or(|end| *end == Endless::Finishes && !locked().over) {
        let text = sign(&verb, start.elapsed().as_secs());
        match terminal {
            true => draw(text.in_lang(lang)),
            // Nobody reads stderr: no reason to fail.
            false => _ = writeln!(std::io::stderr(), "{}", text.in_lang(lang)),
        }
        tokio::time::sleep(then).await;
    }
}

fn sign(verb: &str, seconds: u64) -> Text {
    say!("{verb}: working, {seconds} s (Ctrl-C ends it)"; "{verb}：运行中，{seconds} 秒（Ctrl-C 终止）")
}

fn draw(text: &str) {
    let mut line = locked();
    if !line.over {
        wipe(&mut line);
        line.width = unicode_width::UnicodeWidthStr::width(text);
        let _ = write!(std::io::stderr(), "{text}");
    }
}

/// With blanks: a terminal that knows no escape sequences knows these.
fn wipe(line: &mut Line) {
    if line.width > 0 {
        let _ = write!(std::io::stderr(), "\r{}\r", " ".repeat(line.width));
        line.width = 0;
    }
}

fn locked() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}
