//! The end of what was said on stderr, for whoever is told of a job's end. Kept only where somebody asked for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are kept of it: as many as services that watch jobs take.
const MOST: usize = 10 * 1024;

/// `None`: nobody asked.
static TAIL: Mutex<Option<String>> = Mutex::new(None);

/// From now on the end of the log is kept.
pub fn keep() {
    locked().get_or_insert_default();
}

/// What was said last, with a last word behind it: 10 KiB at the most, from the beginning of a line.
pub fn tail(last_word: &str) -> String {
    let text = format!("{}{last_word}", locked().as_deref().unwrap_or_default());
    cut(&text).to_owned()
}

/// Somebody said this.
pub(super) fn add(text: &str) {
    let mut tail = locked();
    let Some(tail) = tail.as_mut() else { return };
    tail.push_str(&plain(text));
    if tail.len() > 2 * MOST {
        *tail = cut(tail).to_owned();
    }
}

fn cut(text: &str) -> &str {
    if text.len() <= MOST {
        return text;
    }
    let from = (text.len() - MOST..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let rest = &text[from..];
    // The rest of one endless line is better than none of it.
    rest.split_once('\n').map_or(rest, |(_, lines)| if lines.is_empty() { rest } else { lines })
}

/// Without the colours of a terminal; everything else of the kind is escaped in a log line.
fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}

fn locked() -> MutexGuard<'static, Option<String>> {
    TAIL.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_whole_and_without_colours() {
        add("before anybody asked\n");
        keep();
        assert!(!tail("").contains("before"));
        add("2026-11-28 \u{1b}[33m WARN\u{1b}[0m first\n");
        assert_eq!(tail("error: last\n"), "2026-11-28  WARN first\nerror: last\n");
        (0..3000).for_each(|n| add(&format!("line {n} 行\n")));
        let kept = tail("error: last\n");
        assert!(kept.len() <= MOST && kept.len() > MOST - 20, "{}", kept.len());
        assert!(kept.starts_with("line ") && kept.ends_with("line 2999 行\nerror: last\n"), "{kept}");
        assert_eq!(cut(&"行".repeat(MOST)).len(), MOST / 3 * 3);
    }
}
