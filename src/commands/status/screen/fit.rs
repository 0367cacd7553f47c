//! Making a line fit the screen: Chinese takes two columns a letter.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a line.
const WIDTH: usize = 80;

/// `812 kB`, `1.2 GB`.
pub(super) fn bytes(bytes: i64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

/// With blanks up to `width` columns, one at least.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width()).max(1)))
}

/// The end of a long path.
pub(super) fn tail(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    format!("…{}", letters[letters.len() - most + 1..].iter().collect::<String>())
}

/// A line that fits, with a mark where it was cut.
pub(super) fn cut(line: &str) -> String {
    if line.width() <= WIDTH {
        return line.to_owned();
    }
    let mut kept = String::new();
    let mut width = 0;
    for letter in line.chars() {
        width += letter.width().unwrap_or(0);
        if width > WIDTH - 1 {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_the_screen() {
        assert_eq!(cut(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(cut(&"x".repeat(81)), "x".repeat(79) + "…");
        assert_eq!(cut(&"数".repeat(41)), "数".repeat(39) + "…");
        assert_eq!((tail("/a/b", 4), tail("/a/b/c", 4)), ("/a/b".to_owned(), "…b/c".to_owned()));
        assert_eq!((padded("ok", 4), padded("正常", 5)), ("ok  ".to_owned(), "正常 ".to_owned()));
        assert_eq!([bytes(812_000), bytes(12_340_000), bytes(1_234_000_000)], ["812 kB", "12.3 MB", "1.2 GB"]);
    }
}
