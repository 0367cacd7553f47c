//! Values from outside, made harmless for a terminal: a nickname must not move the cursor, and a line stays a line.

use std::borrow::Cow;

/// The text with control characters and those that turn the direction of writing shown as escapes.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if harmful(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A JSON text on one line, whose C1 controls are escaped too (JSON itself escapes only C0).
pub fn json_line(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if !text.chars().any(harmful) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // Harmful characters stand only inside strings, where this spelling means the same.
            c if harmful(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_nickname_stays_one_harmless_line() {
        assert_eq!(escape("小明 \u{1f600}"), "小明 \u{1f600}");
        assert_eq!(escape("a\u{1b}[2Jb\nc\u{9b}d\u{202e}"), "a\\u{1b}[2Jb\\nc\\u{9b}d\\u{202e}");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({"nickname": "a\u{1b}\u{9b}\u{202e}小"});
        let line = json_line(&value);
        assert_eq!(line, "{\"nickname\":\"a\\u001b\\u009b\\u202e小\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
