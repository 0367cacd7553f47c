//! A text that a person wrote, with a mark below the letter that an error is about.

use super::escape::escape;
use unicode_width::UnicodeWidthStr;

/// So many letters are shown before and behind the one that is meant.
const AROUND: usize = 30;

/// Two lines: the text, and `^` below the letter; a long text is cut on both sides.
pub(super) fn place(text: &str, letter: usize) -> String {
    let first = letter.saturating_sub(AROUND);
    let piece = |from: usize, count: usize| text.chars().skip(from).take(count).collect::<String>();
    let (before, behind) = (piece(first, letter - first), piece(letter, AROUND));
    let start = if first > 0 { "…" } else { "" };
    let end = if text.chars().nth(letter + AROUND).is_some() { "…" } else { "" };
    let before = format!("  {start}{}", escape(&before));
    format!("{before}{}{end}\n{}^", escape(&behind), " ".repeat(before.width()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_the_letter() {
        assert_eq!(place("city = x", 7), "  city = x\n         ^");
        assert_eq!(place("city = \"广州\" ?", 12), "  city = \"广州\" ?\n                ^");
        assert_eq!(place("a\nb?", 3), "  a\\nb?\n      ^");
        assert_eq!(place("", 0), "  \n  ^");
        let long = place(&"好".repeat(1000), 500);
        let (text, mark) = long.split_once('\n').unwrap_or_default();
        assert_eq!((text.width(), mark.width()), (2 + 1 + 60 * 2 + 1, 2 + 1 + 30 * 2 + 1));
    }
}
