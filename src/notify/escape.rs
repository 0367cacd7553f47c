//! Values that other people wrote, made harmless: a nickname is a nickname and no mention, link, heading, tag or colour.
//!
//! The platform documents no way to escape its marks, and its clients make links of whatever looks like one. So the
//! letters that marks are made of are exchanged for their full-width twins, which every client shows as letters.

use super::Escape;

/// Letters of one value at the most; what is longer is no name and would push the others out.
pub const LETTERS: usize = 200;

/// The value on one line, trimmed, cut, and without a mark that `escape` knows.
pub fn value(text: &str, escape: Escape) -> String {
    let line = cut(&line(text), LETTERS);
    match escape {
        Escape::Address => address(&line),
        Escape::Plain => unlinked(&line, |letter| matches!(letter, '<' | '>')),
        Escape::Marks if is_masked(&line) => line,
        Escape::Marks => {
            let marks = unlinked(&line, |letter| "<>[]*`#\\|~".contains(letter));
            unruled(&marks)
        }
    }
}

/// For a place in a URL: everything but letters and digits as `%XX`.
pub fn address(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The first letters, and an ellipsis where there are more.
pub fn cut(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", super::cut::whole_letters(text, end).trim_end()),
    }
}

/// Without line breaks and other controls, and without what turns the direction of writing.
fn line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let kept = text.chars().filter(|c| !turns(*c)).map(|c| if breaks(c) { ' ' } else { c });
    kept.collect::<String>().trim().to_owned()
}

/// A number of which the middle is stars: between digits four of them are no mark.
fn is_masked(text: &str) -> bool {
    let digits = |part: &str| part.trim_start_matches('+').bytes().all(|c| c.is_ascii_digit());
    text.split_once("****").is_some_and(|(head, tail)| !head.is_empty() && digits(head) && digits(tail))
}

/// Marks as their full-width twins; and what looks like the address of a page or an entity like neither.
fn unlinked(text: &str, mark: impl Fn(char) -> bool) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let rest = &letters[at + 1..];
        let wide = match letter {
            letter if mark(*letter) => true,
            ':' => rest.starts_with(&['/', '/']),
            '.' => before.is_some_and(|c| c.is_alphanumeric()) && rest.first().is_some_and(|c| c.is_alphabetic()),
            '&' => entity(rest),
            _ => false,
        };
        out.push(if wide { full_width(*letter) } else { *letter });
    }
    out
}

/// `lt;`, `#60;` and the like behind an ampersand.
fn entity(rest: &[char]) -> bool {
    let name = rest.iter().take(12).take_while(|c| c.is_ascii_alphanumeric() || **c == '#').count();
    name > 0 && rest.get(name) == Some(&';')
}

/// What makes a line a list, a rule, or a heading of the line above.
fn unruled(text: &str) -> String {
    let rule = |c: char| matches!(c, '-' | '=' | '_' | '+');
    let all = text.chars().all(|c| rule(c) || c == ' ');
    let first = text.starts_with(['-', '+']) && text.chars().nth(1) == Some(' ');
    let letters = text.chars().enumerate();
    letters.map(|(at, c)| if rule(c) && (all || (first && at == 0)) { full_width(c) } else { c }).collect()
}

/// `！` to `～` stand in the order of `!` to `~`.
fn full_width(letter: char) -> char {
    match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_can_be_nothing_but_a_name() {
        for (written, plain, marks) in [
            ("张三", "张三", "张三"),
            ("😀👨‍👩‍👧", "😀👨‍👩‍👧", "😀👨‍👩‍👧"),
            ("<@all>", "＜@all＞", "＜@all＞"),
            (
                "<font color=\"warning\">x</font>",
                "＜font color=\"warning\"＞x＜/font＞",
                "＜font color=\"warning\"＞x＜/font＞",
            ),
            ("[x](http://evil.example)", "[x](http：//evil．example)", "［x］(http：//evil．example)"),
            ("www.evil.com", "www．evil．com", "www．evil．com"),
            ("# 头\n## 头", "# 头 ## 头", "＃ 头 ＃＃ 头"),
            ("**b** `c`", "**b** `c`", "＊＊b＊＊ ｀c｀"),
            ("138****8000", "138****8000", "138****8000"),
            ("1****2****3", "1****2****3", "1＊＊＊＊2＊＊＊＊3"),
            ("---", "---", "－－－"),
            ("- a", "- a", "－ a"),
            ("a-b_c", "a-b_c", "a-b_c"),
            ("&lt;a&#62;R&B; & ok", "＆lt;a＆#62;R＆B; & ok", "＆lt;a＆＃62;R＆B; & ok"),
            ("{{ 7 * 7 }}{% raw %}", "{{ 7 * 7 }}{% raw %}", "{{ 7 ＊ 7 }}{% raw %}"),
            ("  a\r\n\tb\u{202e}c\u{2028}d ", "a   bc d", "a   bc d"),
            ("12.50", "12.50", "12.50"),
            ("\"'", "\"'", "\"'"),
        ] {
            assert_eq!(value(written, Escape::Plain), plain, "{written}");
            assert_eq!(value(written, Escape::Marks), marks, "{written}");
        }
        assert_eq!(value("a b/ü?&.", Escape::Address), "a%20b%2F%C3%BC%3F%26%2E");
        let long = value(&"长".repeat(10_000), Escape::Plain);
        assert_eq!(long, format!("{}…", "长".repeat(LETTERS)));
    }

    proptest! {
        /// No text brings a mark, a line break or an address through.
        #[test]
        fn nothing_gets_through(text in "(\\PC|[<>@\\[\\]()*`#|:/.&;\n\r\t_=-]|https?://|www\\.){0,60}") {
            let marks = value(&text, Escape::Marks);
            prop_assert!(!marks.contains(['<', '>', '[', ']', '*', '`', '#', '\\', '|', '\n', '\r']), "{:?}", marks);
            let plain = value(&text, Escape::Plain);
            for told in [&marks, &plain] {
                prop_assert!(!told.contains(['<', '>']) && !told.contains("://"), "{:?}", told);
                prop_assert!(!told.chars().any(char::is_control), "{:?}", told);
                prop_assert!(told.chars().count() <= LETTERS + 1);
            }
            let address = value(&text, Escape::Address);
            prop_assert!(address.bytes().all(|c| c.is_ascii_alphanumeric() || b"%-_".contains(&c)), "{}", address);
        }
    }
}
