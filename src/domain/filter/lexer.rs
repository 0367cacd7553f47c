//! The words of a filter, one after the other, each with its place.

use super::wrong::{Wrong, shown};
use crate::say;

/// One word of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub what: What,
    /// Where it begins, in bytes.
    pub at: usize,
    /// As it was written.
    pub raw: &'a str,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// A field, a keyword, or text without its quotes.
    Word,
    /// What stood in quotes.
    Text(String),
    /// A number, a day, a moment or an age: begins with a digit or a sign.
    Literal,
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign,
    Open,
    Close,
    Comma,
    End,
}

/// The token that begins at or behind `from`.
pub(super) fn token(text: &str, from: usize) -> Result<Token<'_>, Wrong> {
    let rest = text[from..].trim_start();
    let at = text.len() - rest.len();
    let length = |what: fn(char) -> bool| rest.find(|c| !what(c)).unwrap_or(rest.len());
    let Some(first) = rest.chars().next() else { return Ok(Token { what: What::End, at, raw: "" }) };
    let (what, length) = match first {
        '(' => (What::Open, 1),
        ')' => (What::Close, 1),
        ',' => (What::Comma, 1),
        '=' | '!' | '<' | '>' => (What::Sign, sign(rest, at)?),
        '"' | '\'' => return quoted(rest, at, first),
        '0'..='9' | '-' | '+' => (What::Literal, length(|c| c.is_ascii_alphanumeric() || "+-:._".contains(c))),
        c if c.is_alphabetic() || c == '_' => (What::Word, length(|c| c.is_alphanumeric() || c == '_')),
        _ => return Err(stranger(first, at)),
    };
    Ok(Token { what, at, raw: &rest[..length] })
}

/// How long the operator is.
fn sign(rest: &str, at: usize) -> Result<usize, Wrong> {
    let written = &rest[..rest.find(|c| !"=!<>".contains(c)).unwrap_or(rest.len())];
    let meant = match written {
        "=" | "<" | ">" | "!=" | "<=" | ">=" => return Ok(written.len()),
        "==" => "=",
        "<>" => "!=",
        "=<" => "<=",
        "=>" => ">=",
        "!" => "not",
        _ => "= != < <= > >=",
    };
    Err(Wrong::at(at, say!("{written} is no operator"; "{written} 不是运算符"))
        .next(say!("write {meant}"; "请写 {meant}")))
}

/// Text up to the same quote; `\"`, `\'`, `\\`, `\n`, `\r` and `\t` stand for one letter.
fn quoted(rest: &str, at: usize, quote: char) -> Result<Token<'_>, Wrong> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((here, letter)) = letters.next() {
        match letter {
            c if c == quote => {
                return Ok(Token { what: What::Text(text), at, raw: &rest[..here + 1] });
            }
            '\0' => return Err(Wrong::at(at + here, say!("text holds no NUL"; "文本不能含 NUL 字符"))),
            '\\' => match letters.next() {
                Some((_, c @ ('"' | '\'' | '\\'))) => text.push(c),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, 't')) => text.push('\t'),
                _ => {
                    return Err(Wrong::at(
                        at + here,
                        say!("this backslash stands for nothing"; "无法识别的反斜杠转义"),
                    )
                    .next(say!("a backslash itself is written \\\\"; "反斜杠本身请写 \\\\")));
                }
            },
            c => text.push(c),
        }
    }
    Err(Wrong::at(at, say!("this text has no end"; "文本没有结束引号"))
        .next(say!("close it with {quote}"; "请用 {quote} 结束")))
}

/// A letter that begins nothing; a Chinese keyboard makes some that look like ours.
fn stranger(letter: char, at: usize) -> Wrong {
    let meant = match letter {
        '“' | '”' | '‘' | '’' | '「' | '」' | '＂' | '＇' | '`' => "\"",
        '（' => "(",
        '）' => ")",
        '，' | '、' => ",",
        '＝' => "=",
        '！' => "!=",
        '＜' => "<",
        '＞' => ">",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '&' => "and",
        '|' => "or",
        _ => "",
    };
    let letter = shown(letter.encode_utf8(&mut [0; 4])).into_owned();
    let wrong = Wrong::at(at, say!("{letter} has no meaning here"; "此处的 {letter} 没有意义"));
    match meant {
        "" => wrong.next(say!("write text in quotes"; "文本请加引号")),
        "\"" => wrong.next(say!("write straight quotes: \""; "请用英文引号：\"")),
        _ => wrong.next(say!("write {meant}"; "请写 {meant}")),
    }
}
