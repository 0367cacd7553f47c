//! What stands around an echostr that should come back bare (reference 1.1).

use super::finding::{Finding, Question};
use crate::error::Text;
use crate::say;

/// Something that was added on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// U+FEFF in front.
    Bom,
    /// `\n` or `\r\n`.
    LineBreak,
    /// Blanks and tabs.
    Blank,
    /// `"…"` or `'…'`.
    Quotes,
    /// A page.
    Html,
    /// A JSON object or array.
    Json,
    /// Anything else.
    Other,
}

const BOM: char = '\u{feff}';

/// What stands around the echostr, from the outside in; `None` where it is not there at all.
pub fn around(body: &[u8], echostr: &str) -> Option<Vec<Around>> {
    let text = String::from_utf8_lossy(body);
    let (mut before, mut after) = text.split_once(echostr)?;
    let mut found = Vec::new();
    let mut add = |around| {
        if !found.contains(&around) {
            found.push(around);
        }
    };
    loop {
        if let Some(rest) = before.strip_prefix(BOM) {
            before = rest;
            add(Around::Bom);
        } else if let Some((rest, blank)) = outer_blank(before, after) {
            (before, after) = rest;
            add(if matches!(blank, '\n' | '\r') { Around::LineBreak } else { Around::Blank });
        } else if let Some(rest) = unquoted(before, after) {
            (before, after) = rest;
            add(Around::Quotes);
        } else {
            break;
        }
    }
    match before.chars().next() {
        _ if before.contains('<') || after.contains('<') => add(Around::Html),
        Some('{' | '[') => add(Around::Json),
        None if after.is_empty() => {}
        _ => add(Around::Other),
    }
    Some(found)
}

type Halves<'a> = (&'a str, &'a str);

/// Without a white character at one of the ends.
fn outer_blank<'a>(before: &'a str, after: &'a str) -> Option<(Halves<'a>, char)> {
    let first = before.chars().next().filter(|c| c.is_whitespace());
    let last = after.chars().next_back().filter(|c| c.is_whitespace());
    match (first, last) {
        (Some(c), _) => Some(((&before[c.len_utf8()..], after), c)),
        (None, Some(c)) => Some(((before, &after[..after.len() - c.len_utf8()]), c)),
        (None, None) => None,
    }
}

/// Without quotes at both ends.
fn unquoted<'a>(before: &'a str, after: &'a str) -> Option<Halves<'a>> {
    ['"', '\''].iter().find_map(|quote| Some((before.strip_prefix(*quote)?, after.strip_suffix(*quote)?)))
}

/// The finding about an echostr with something around it.
pub fn dressed(found: &[Around]) -> Option<Finding> {
    let first = *found.first()?;
    let name = |lang: fn(&Text) -> &str, and: &str| {
        found.iter().map(|around| lang(&around.text()).to_owned()).collect::<Vec<_>>().join(and)
    };
    let (en, zh) = (name(|text| &text.en, " and "), name(|text| &text.zh, "与"));
    let what = say!(
        "the echostr came back, but with {en} around it";
        "返回了 echostr，但前后多了{zh}"
    );
    Some(Finding::failed(Question::UrlCheck, first.cause(), what).next(first.mend()))
}

impl Around {
    /// The word for programs.
    fn cause(self) -> &'static str {
        match self {
            Around::Bom => "echo_bom",
            Around::LineBreak => "echo_line_break",
            Around::Blank => "echo_blank",
            Around::Quotes => "echo_quotes",
            Around::Html => "echo_html",
            Around::Json => "echo_json",
            Around::Other => "echo_text",
        }
    }

    fn text(self) -> Text {
        match self {
            Around::Bom => say!("a byte order mark (BOM)"; "BOM"),
            Around::LineBreak => say!("a line break"; "换行"),
            Around::Blank => say!("a blank"; "空格"),
            Around::Quotes => say!("quotes"; "引号"),
            Around::Html => say!("HTML"; " HTML "),
            Around::Json => say!("JSON"; " JSON "),
            Around::Other => say!("other text"; "其他文字"),
        }
    }

    fn mend(self) -> Text {
        match self {
            Around::Bom => say!(
                "save the script, and every file it includes, as UTF-8 without BOM";
                "请把脚本及其引入的文件都存为无 BOM 的 UTF-8"
            ),
            Around::LineBreak | Around::Blank => say!(
                "print it without anything behind it: no println, in PHP no blank line outside <?php ?>";
                "输出时不要带任何多余字符：不要用 println；PHP 文件在 <?php ?> 之外不能有空行"
            ),
            Around::Quotes | Around::Json => say!(
                "answer the bare text as text/plain: a framework made JSON of it";
                "请以 text/plain 返回纯文本：框架把它转成了 JSON"
            ),
            Around::Html | Around::Other => say!(
                "answer the bare text: a layout, a debug bar or a security filter puts something around it";
                "请只返回 echostr 本身：页面模板、调试工具条或安全防护在其前后加了内容"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_around_is_named() {
        for (body, expected) in [
            ("12345", &[][..]),
            ("12345\n", &[Around::LineBreak]),
            ("\r\n12345\r\n", &[Around::LineBreak]),
            (" 12345", &[Around::Blank]),
            ("\u{feff}12345", &[Around::Bom]),
            ("\u{feff}\u{feff}\n12345\n", &[Around::Bom, Around::LineBreak]),
            ("\"12345\"", &[Around::Quotes]),
            ("'12345'\n", &[Around::LineBreak, Around::Quotes]),
            ("{\"echostr\":\"12345\"}", &[Around::Json]),
            ("[12345]", &[Around::Json]),
            ("<html><body>12345</body></html>\n", &[Around::LineBreak, Around::Html]),
            ("12345<script src=x></script>", &[Around::Html]),
            ("echo: 12345", &[Around::Other]),
            ("1234512345", &[Around::Other]),
        ] {
            assert_eq!(around(body.as_bytes(), "12345").as_deref(), Some(expected), "{body:?}");
        }
        assert_eq!(around(b"success", "12345"), None);
        assert_eq!(around(b"", "12345"), None);
    }
}
