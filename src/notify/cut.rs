//! A text cut to what the platform takes: at its limit of bytes, between letters as people see them, and without a mark
//! left open. The platform cuts by itself too, and would lose the closing tag.

/// What stands in the place of what was cut off.
const MORE: &str = "…";

/// What is shown of the text within so many bytes. Marks are the tags and marks of `markdown` and of a text card.
pub fn to_bytes(text: &str, bytes: usize, marks: bool) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes;
    // Closing what is open takes room, too: go back until both fit.
    loop {
        let kept = whole_letters(text, end).trim_end();
        let kept = if marks { without_half_a_mark(kept) } else { kept };
        let closing = if marks { closing(kept) } else { String::new() };
        let length = kept.len() + MORE.len() + closing.len();
        if length <= bytes {
            return format!("{kept}{MORE}{closing}");
        }
        match end.checked_sub(length - bytes) {
            Some(less) if less > 0 => end = less,
            _ => return String::new(),
        }
    }
}

/// The same within so many letters.
pub fn to_letters(text: &str, letters: usize, marks: bool) -> String {
    let count = |text: &str| text.chars().count();
    if count(text) <= letters {
        return text.to_owned();
    }
    // Bytes that hold so many letters; each try that is too long is shortened by what it has too many.
    let mut bytes = text.char_indices().nth(letters).map_or(text.len(), |(at, _)| at);
    loop {
        let cut = to_bytes(text, bytes, marks);
        let over = count(&cut).saturating_sub(letters);
        if over == 0 {
            return cut;
        }
        bytes = bytes.saturating_sub(over);
    }
}

/// The text up to `end`, less what would be half a letter: of a byte, or of what several signs make together.
pub fn whole_letters(text: &str, end: usize) -> &str {
    let mut end = text.floor_char_boundary(end.min(text.len()));
    loop {
        let (before, after) = text.split_at(end);
        let joined = after.chars().next().is_some_and(joins_back) || before.ends_with('\u{200d}');
        let half_flag = before.chars().rev().take_while(|c| is_flag(*c)).count() % 2 == 1
            && after.chars().next().is_some_and(is_flag);
        match before.chars().next_back() {
            Some(last) if joined || half_flag => end -= last.len_utf8(),
            _ => return before,
        }
    }
}

/// Signs that belong to the letter before them.
fn joins_back(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20d0}'..='\u{20f0}'
        | '\u{300}'..='\u{36f}' | '\u{e0020}'..='\u{e007f}')
}

/// Two of these are a flag.
fn is_flag(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Without a tag or a link that the cut falls into.
fn without_half_a_mark(text: &str) -> &str {
    let tag = text.rfind('<').filter(|at| !text[*at..].contains('>'));
    // `[name](address` shows its address to people; `[name` alone is text.
    let link = text.rfind("](").filter(|at| !text[*at..].contains(')')).and_then(|at| text[..at].rfind('['));
    let end = tag.into_iter().chain(link).min().unwrap_or(text.len());
    text[..end].trim_end()
}

/// What closes the marks that are open at the end: tags, and the bold and code of the last line.
fn closing(text: &str) -> String {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once('<') {
        let Some((inside, after)) = tag.split_once('>') else { break };
        rest = after;
        match inside.strip_prefix('/') {
            Some(name) => {
                if let Some(at) = open.iter().rposition(|known| *known == name.trim()) {
                    open.truncate(at);
                }
            }
            None => {
                let name = inside.split([' ', '/']).next().unwrap_or_default();
                if !inside.ends_with('/') && matches!(name, "font" | "div" | "a") {
                    open.push(name);
                }
            }
        }
    }
    let line = text.rsplit('\n').next().unwrap_or_default();
    let odd = |mark: &'static str| if line.matches(mark).count() % 2 == 1 { mark } else { "" };
    let tags: String = open.iter().rev().map(|name| format!("</{name}>")).collect();
    format!("{}{}{tags}", odd("`"), odd("**"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_cut_between_letters_and_closed() {
        assert_eq!(to_bytes("短", 3, true), "短");
        assert_eq!(to_bytes("长长长长", 10, false), "长长…");
        assert_eq!(to_bytes("ab👨‍👩‍👧c", 20, false), "ab…", "a family is one letter");
        assert_eq!(to_bytes("a👍🏽b", 8, false), "a…");
        assert_eq!(to_bytes("🇨🇳🇨🇳", 15, false), "🇨🇳…");
        let font = "<font color=\"info\">绿色的一段话</font>";
        assert_eq!(to_bytes(font, 40, true), "<font color=\"info\">绿色的…</font>");
        assert_eq!(to_bytes(font, 30, true), "<font color=\"info\">…</font>");
        assert_eq!(to_bytes("x <font color=\"info\">y</font> and so on", 12, true), "x…");
        assert_eq!(to_bytes("a [name](https://a.example/b) and more", 20, true), "a…");
        assert_eq!(to_bytes("**bold bold bold**", 14, true), "**bold bo…**");
        assert_eq!(
            to_bytes("<div class=\"gray\">日期</div><div>正文正文正文</div>", 52, true),
            "<div class=\"gray\">日期</div><div>正文…</div>"
        );
        assert_eq!(to_letters("一二三四五六", 4, false), "一二三…");
        assert_eq!(to_letters("一二三四", 4, false), "一二三四");
    }

    /// A text of letters, marks and emoji.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "字",
            "a",
            "😀",
            "👨‍👩‍👧",
            "🇨🇳",
            "é",
            "<font color=\"info\">",
            "</font>",
            "<div>",
            "</div>",
            "**",
            "`",
            "\n",
            "[x](http://y)",
            "> ",
            " ",
        ]);
        prop::collection::vec(piece, 0..200).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Never longer than the limit, never half a letter or half a tag, never a tag left open that was not before.
        #[test]
        fn a_cut_is_within_its_limit(text in texts(), bytes in 40usize..400) {
            let cut = to_bytes(&text, bytes, true);
            prop_assert!(cut.len() <= bytes);
            if text.len() > bytes {
                prop_assert_eq!(cut.matches('<').count(), cut.matches('>').count() - text_quotes(&cut), "{:?}", cut);
                prop_assert_eq!(closing(&cut), "", "{:?}", cut);
                let kept = cut.split('…').next().unwrap();
                prop_assert!(text.starts_with(kept));
                let joiner = '\u{200d}';
                prop_assert!(!kept.ends_with(joiner));
            }
        }

        #[test]
        fn letters_are_counted(text in "\\PC{0,80}", letters in 1usize..60) {
            let cut = to_letters(&text, letters, false);
            prop_assert!(cut.chars().count() <= letters);
            prop_assert!(text.chars().count() > letters || cut == text);
        }
    }

    /// `> ` of a quotation is no end of a tag.
    fn text_quotes(text: &str) -> usize {
        let tags = ["<font color=\"info\">", "</font>", "<div>", "</div>"];
        text.matches('>').count() - tags.iter().map(|tag| text.matches(tag).count()).sum::<usize>()
    }
}
