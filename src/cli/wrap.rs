//! Breaks long lines where Chinese may be broken: between two characters, but not before a mark that closes.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// No line begins with one of these.
const CLOSING: &str = "，。；：、！？）」》”’%…";
/// No line ends with one of these.
const OPENING: &str = "（「《“‘";

/// The text with every line that is wider broken; what follows is indented as far as its column of text.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| broken(line, width)).collect();
    lines.join("\n")
}

fn broken(line: &str, width: usize) -> String {
    if shown(line) <= width {
        return line.to_owned();
    }
    // The column of text begins behind the last gap: `  --flag <VALUE>  text`.
    let start = line.rfind("  ").map_or(0, |at| at + 2);
    let (head, text) = line.split_at(start);
    let indent = shown(head);
    let (mut out, mut at) = (head.to_owned(), indent);
    for unit in units(text) {
        let wide = shown(unit.trim_end());
        if at + wide > width && at > indent {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
        }
        out.push_str(unit);
        at += shown(unit);
    }
    out
}

/// What stays together: a Latin word, or one Chinese character with its marks.
fn units(text: &str) -> Vec<&str> {
    let mut units = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, letter) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, letter)) {
            units.push(&text[start..at]);
            start = at;
        }
        before = Some(letter);
    }
    units.push(&text[start..]);
    units
}

fn may_break(before: char, after: char) -> bool {
    if CLOSING.contains(after) || is_blank(after) || OPENING.contains(before) {
        return false;
    }
    is_blank(before) || is_wide(before) || is_wide(after)
}

fn is_blank(letter: char) -> bool {
    letter == ' ' || letter == '\u{a0}'
}

fn is_wide(letter: char) -> bool {
    letter.width() == Some(2)
}

/// The columns that a terminal uses; escape sequences use none.
fn shown(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().width();
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.width())).sum::<usize>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_break_where_they_may() {
        assert_eq!(wrap("short\n很短", 10), "short\n很短");
        assert_eq!(wrap("这是一个，很长的句子", 10), "这是一个，\n很长的句子");
        assert_eq!(
            wrap("  --a <B>  这是（一个）很长的句子", 20),
            "  --a <B>  这是（一\n           个）很长\n           的句子"
        );
        assert_eq!(wrap("用 wxops.toml 里的值", 12), "用\nwxops.toml\n里的值");
        assert_eq!(wrap("\u{1b}[1m--a\u{1b}[0m  一二三四五", 11), "\u{1b}[1m--a\u{1b}[0m  一二三\n     四五");
    }

    #[test]
    fn nothing_is_wider_than_asked_for() {
        let text = "收到的回调，按时间先后；可用 --state、--kind 与 --openid 缩小范围（见 wxops events list）。";
        for width in 24..60 {
            let wrapped = wrap(text, width);
            assert!(wrapped.lines().all(|line| line.width() <= width), "{width}: {wrapped}");
            assert_eq!(wrapped.replace(['\n', ' '], ""), text.replace(' ', ""));
        }
    }
}
