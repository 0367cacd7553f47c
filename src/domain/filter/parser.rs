//! The grammar, by recursive descent:
//!
//! ```text
//! any   = all { "or" all }
//! all   = one { "and" one }
//! one   = "not" one | "(" any ")" | field test
//! ```
//!
//! What stands behind a field is `check.rs`.

use super::lexer::{Token, What, token};
use super::wrong::{Wrong, shown};
use super::{DEPTH_MAX, Fields, Filter, LENGTH_MAX, TESTS_MAX};
use crate::domain::near::near;
use crate::error::Text;
use crate::say;

/// Reads the whole text.
pub(super) fn parse<T: Fields>(text: &str, fields: &T) -> Result<Filter<T::Field>, Wrong> {
    let length = text.len();
    if length > LENGTH_MAX {
        return Err(Wrong::at(
            text.floor_char_boundary(LENGTH_MAX),
            say!("it is {length} bytes long, {LENGTH_MAX} are allowed"; "长度为 {length} 字节，最多 {LENGTH_MAX}"),
        ));
    }
    if text.trim().is_empty() {
        let (_, test) = fields.example();
        return Err(Wrong::at(0, say!("it is empty"; "条件为空")).next(say!("write such as {test}"; "请写例如 {test}")));
    }
    let mut parser = Parser { text, fields, depth: 0, tests: 0, next: token(text, 0)? };
    let filter = parser.any()?;
    match parser.next.what {
        What::End => Ok(filter),
        What::Close => Err(parser.unexpected(say!("no parenthesis is open here"; "此处没有未闭合的括号"))),
        _ => Err(parser.expected(say!("and, or, or the end"; "and、or 或结尾"))),
    }
}

pub(super) struct Parser<'a, T> {
    text: &'a str,
    pub fields: &'a T,
    depth: usize,
    tests: usize,
    /// The token that is looked at.
    pub next: Token<'a>,
}

impl<'a, T: Fields> Parser<'a, T> {
    fn any(&mut self) -> Result<Filter<T::Field>, Wrong> {
        let mut parts = vec![self.all()?];
        while self.keyword("or")? {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn all(&mut self) -> Result<Filter<T::Field>, Wrong> {
        let mut parts = vec![self.one()?];
        while self.keyword("and")? {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn one(&mut self) -> Result<Filter<T::Field>, Wrong> {
        if self.depth >= DEPTH_MAX {
            return Err(self.unexpected(say!(
                "over {DEPTH_MAX} parentheses and nots stand in each other";
                "括号与 not 的嵌套超过 {DEPTH_MAX} 层"
            )));
        }
        self.depth += 1;
        let filter = self.one_inside();
        self.depth -= 1;
        filter
    }

    fn one_inside(&mut self) -> Result<Filter<T::Field>, Wrong> {
        if self.keyword("not")? {
            return self.one().map(|inside| Filter::Not(Box::new(inside)));
        }
        if self.next.what == What::Open {
            self.advance()?;
            let inside = self.any()?;
            self.close()?;
            return Ok(inside);
        }
        let field = self.field()?;
        self.check(field)
    }

    fn field(&mut self) -> Result<T::Field, Wrong> {
        if self.next.what != What::Word {
            let (name, _) = self.fields.example();
            return Err(self.expected(say!("a field such as {name}"; "字段（例如 {name}）")));
        }
        let word = self.next.raw;
        match self.fields.find(word) {
            Some(field) => self.advance().map(|_| field),
            None => Err(self.no_field(word)),
        }
    }

    fn no_field(&self, word: &str) -> Wrong {
        if let Some(why) = self.fields.why_not(word) {
            return self.unexpected(why);
        }
        let names = self.fields.names();
        let name = shown(word);
        let wrong = self.unexpected(say!("there is no field {name}"; "没有字段 {name}"));
        let lower = word.to_lowercase();
        match near(&lower, names.iter().copied()) {
            Some(near) => wrong.next(say!("did you mean {near}?"; "是不是 {near}？")),
            None => {
                let names = names.join(" ");
                wrong.next(say!("the fields are: {names}"; "可用字段：{names}"))
            }
        }
    }

    /// Each test costs the database; a planner's time grows faster than their number.
    pub fn count_test(&mut self) -> Result<(), Wrong> {
        self.tests += 1;
        match self.tests <= TESTS_MAX {
            true => Ok(()),
            false => Err(self.unexpected(say!("over {TESTS_MAX} tests are too many"; "条件超过 {TESTS_MAX} 个")).next(
                say!("a list is one: city in (\"广州\", \"深圳\")"; "列表只算一个：city in (\"广州\", \"深圳\")"),
            )),
        }
    }

    /// Passes over a closing parenthesis.
    pub fn close(&mut self) -> Result<(), Wrong> {
        match self.next.what {
            What::Close => self.advance().map(drop),
            _ => Err(self.expected(say!(")"; " )"))),
        }
    }

    /// Passes over a keyword, if it stands here; capital letters are as good.
    pub fn keyword(&mut self, word: &str) -> Result<bool, Wrong> {
        let here = self.next.what == What::Word && self.next.raw.eq_ignore_ascii_case(word);
        if here {
            self.advance()?;
        }
        Ok(here)
    }

    /// Goes on to the next token; the one that was looked at.
    pub fn advance(&mut self) -> Result<Token<'a>, Wrong> {
        let next = token(self.text, self.next.at + self.next.raw.len())?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// A mistake at the token that is looked at.
    pub fn unexpected(&self, what: Text) -> Wrong {
        Wrong::at(self.next.at, what)
    }

    /// Something else was expected here.
    pub fn expected(&self, Text { en, zh }: Text) -> Wrong {
        let found = shown(self.next.raw);
        match self.next.what {
            What::End => self.unexpected(say!("it ends where {en} is expected"; "此处应为{zh}，但条件已结束")),
            _ => self.unexpected(say!("{en} is expected, not {found}"; "此处应为{zh}，而不是 {found}")),
        }
    }
}

fn one_or<F>(mut parts: Vec<Filter<F>>, many: fn(Vec<Filter<F>>) -> Filter<F>) -> Filter<F> {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}
