//! What stands behind a field: an operator that goes with it, and values of its kind.

use super::field::Kind;
use super::lexer::What;
use super::moment::Moment;
use super::parser::Parser;
use super::wrong::{Wrong, shown};
use super::{Asked, Check, Fields, Filter, Range, Tag};
use crate::error::Text;
use crate::say;

/// More digits than any column holds.
const NUMBER_MAX: i64 = 999_999_999_999_999_999;

/// The whole part of a number that is kept in millionths.
const WHOLE_MAX: i64 = 9_000_000_000_000;
const MILLION: i64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Has,
    Known,
}

const OPS: &[(&str, Op)] = &[
    ("=", Op::Equal),
    ("!=", Op::Unequal),
    ("<", Op::Less),
    ("<=", Op::AtMost),
    (">", Op::More),
    (">=", Op::AtLeast),
    ("in", Op::In),
    ("has", Op::Has),
    ("known", Op::Known),
];

impl<T: Fields> Parser<'_, T> {
    /// The operator and its values; `not` may stand before `in`, `has` and `known`.
    pub fn check(&mut self, mut field: T::Field) -> Result<Filter<T::Field>, Wrong> {
        self.count_test()?;
        let not = self.keyword("not")?;
        let op = self.operator(&field, not)?;
        if op == Op::In {
            self.open(&field)?;
        }
        if op != Op::Known {
            field = self.told(field);
        }
        let check = match op {
            Op::Known => Check::Known,
            Op::In => self.list(&field)?,
            Op::Equal | Op::Unequal | Op::Has => self.value(&field, true)?,
            Op::Less | Op::AtMost | Op::More | Op::AtLeast if field.kind() == Kind::Text => {
                return Err(self
                    .unexpected(say!("text has no order"; "文本没有大小之分"))
                    .next(Kind::Decimal.example()));
            }
            Op::Less | Op::AtMost | Op::More | Op::AtLeast => ordered(op, self.value(&field, false)?),
        };
        let test = Filter::Is(field, check);
        Ok(if not || op == Op::Unequal { Filter::Not(Box::new(test)) } else { test })
    }

    /// A field of any kind is of the kind of its first value.
    fn told(&self, field: T::Field) -> T::Field {
        let raw = self.next.raw;
        let kind = match (field.kind(), &self.next.what) {
            (Kind::Any, What::Text(_)) => Kind::Text,
            (Kind::Any, What::Literal) if millionths(raw).is_some() => Kind::Decimal,
            (Kind::Any, What::Literal) => Kind::Time,
            (Kind::Any, What::Word) if flag(raw).is_some() => Kind::Flag,
            _ => return field,
        };
        field.of_kind(kind)
    }

    fn operator(&mut self, field: &T::Field, behind_not: bool) -> Result<Op, Wrong> {
        let (raw, name, takes) = (self.next.raw, field.name(), field.kind().operators());
        let op = OPS.iter().find(|(word, _)| raw.eq_ignore_ascii_case(word)).map(|(_, op)| *op);
        let op = op.filter(|_| matches!(self.next.what, What::Word | What::Sign));
        let by_word = matches!(op, Some(Op::In | Op::Has | Op::Known));
        match op {
            _ if behind_not && !by_word => Err(self.expected(say!("in, has or known"; " in、has 或 known"))),
            Some(op) if !takes.split(' ').any(|word| raw.eq_ignore_ascii_case(word)) => {
                Err(self.misfit(field, op, raw))
            }
            Some(op) => self.advance().map(|_| op),
            None if raw.eq_ignore_ascii_case("is") => Err(self
                .expected(say!("an operator"; "运算符"))
                .next(say!("write {name} known, or not {name} known"; "请写 {name} known 或 not {name} known"))),
            None => Err(self
                .expected(say!("an operator"; "运算符"))
                .next(say!("{name} takes {takes}"; "{name} 可用 {takes}"))),
        }
    }

    /// An operator that does not go with the field.
    fn misfit(&self, field: &T::Field, op: Op, raw: &str) -> Wrong {
        let (name, takes, Text { en, zh }) = (field.name(), field.kind().operators(), field.kind().what());
        let wrong =
            self.unexpected(say!("{name} is {en}, {raw} does not go with it"; "{name} 的类型是{zh}，不能用 {raw}"));
        match (field.kind(), op) {
            (Kind::Tag, Op::Equal | Op::Unequal) => {
                let not = if op == Op::Unequal { "not " } else { "" };
                wrong.next(say!("write {not}tag has \"vip\""; "请写 {not}tag has \"vip\""))
            }
            _ => wrong.next(say!("{name} takes {takes}"; "{name} 可用 {takes}")),
        }
    }

    /// Passes over the parenthesis of a list.
    fn open(&mut self, field: &T::Field) -> Result<(), Wrong> {
        match self.next.what {
            What::Open => self.advance().map(drop),
            _ => Err(self.expected(say!("( and a list"; "括号括起的列表")).next(field.kind().example())),
        }
    }

    fn list(&mut self, field: &T::Field) -> Result<Check, Wrong> {
        let mut values = self.value(field, true)?;
        while self.next.what == What::Comma {
            self.advance()?;
            if matches!(field.kind(), Kind::Time | Kind::Due) {
                self.count_test()?;
            }
            join(&mut values, self.value(field, true)?);
        }
        if self.next.what != What::Close {
            return Err(self.expected(say!("a comma or )"; "逗号或 )")));
        }
        self.advance().map(|_| values)
    }

    /// A value of the field's kind: the test that something is it. `exactly` where that is meant.
    fn value(&mut self, field: &T::Field, exactly: bool) -> Result<Check, Wrong> {
        let raw = self.next.raw;
        let check = match (field.kind(), &self.next.what) {
            (_, What::Open | What::Close | What::Comma | What::End | What::Sign) => {
                return Err(self.expected(say!("a value"; "一个值")).next(field.kind().example()));
            }
            (Kind::Text, What::Text(text)) => Some(Check::Text(vec![text.clone()])),
            (Kind::Tag, What::Text(text)) => Some(Check::Tagged(vec![Tag::Name(text.clone())])),
            (Kind::Tag, What::Literal) => number(raw).map(|id| Check::Tagged(vec![Tag::Id(id)])),
            (Kind::Number, What::Literal) => number(raw).map(|number| Check::Number(vec![number])),
            (Kind::Sex, What::Literal) => number(raw).filter(|n| (0..=2).contains(n)).map(|n| Check::Number(vec![n])),
            (Kind::Flag, What::Literal | What::Word) => flag(raw).map(|flag| Check::Number(vec![flag])),
            (Kind::Decimal, What::Literal) => millionths(raw).map(|number| Check::Number(vec![number])),
            (Kind::Time | Kind::Due, What::Literal) => Some(self.time(field, raw, exactly)?),
            (Kind::Time | Kind::Due, What::Text(text)) => Some(self.time(field, text, exactly)?),
            _ => None,
        };
        let check = check.ok_or_else(|| self.misplaced(field))?;
        self.advance().map(|_| check)
    }

    fn time(&self, field: &T::Field, text: &str, exactly: bool) -> Result<Check, Wrong> {
        let now_ms = self.fields.now_ms();
        let wrong = |Text { en, zh }| {
            let text = shown(text);
            self.unexpected(say!("{text}: {en}"; "{text}：{zh}")).next(field.kind().example())
        };
        match Moment::parse(text, now_ms.unwrap_or_default()).map_err(wrong)? {
            Moment::Ago(_) if now_ms.is_none() => Err(self
                .unexpected(say!("an age counts from now, and here there is none"; "此处不能用相对时间"))
                .next(say!("write a day, such as 2026-11-01"; "请写日期，例如 2026-11-01"))),
            Moment::Ago(_) if exactly => Err(self
                .unexpected(say!("an age is one moment, and no time equals it"; "相对时间只是一个瞬间，无法判断相等"))
                .next(say!("compare an age with < <= > or >="; "相对时间请用 < <= > >= 比较"))),
            moment => Ok(Check::Within(vec![Range { from: Some(moment.start()), until: Some(moment.end()) }])),
        }
    }

    /// A value of another kind than the field's.
    fn misplaced(&self, field: &T::Field) -> Wrong {
        let (name, found, Text { en, zh }) = (field.name(), shown(self.next.raw), field.kind().what());
        match field.kind() {
            Kind::Text | Kind::Tag | Kind::Any => self
                .unexpected(say!("text stands in quotes, {found} does not"; "文本须加引号，而 {found} 没有"))
                .next(say!("write \"{found}\""; "请写 \"{found}\"")),
            _ => self
                .unexpected(say!("{name} is {en}, {found} is not"; "{name} 的类型是{zh}，而 {found} 不是"))
                .next(field.kind().example()),
        }
    }
}

/// Adds a value to those of the same field.
fn join(all: &mut Check, one: Check) {
    match (all, one) {
        (Check::Text(all), Check::Text(one)) => all.extend(one),
        (Check::Number(all), Check::Number(one)) => all.extend(one),
        (Check::Within(all), Check::Within(one)) => all.extend(one),
        (Check::Tagged(all), Check::Tagged(one)) => all.extend(one),
        // A field has values of one kind.
        _ => {}
    }
}

/// Before the value, behind it, or with it; a day is all of its moments.
fn ordered(op: Op, value: Check) -> Check {
    let (first, behind) = match value {
        Check::Number(numbers) => (numbers.first().copied(), numbers.first().map(|number| number + 1)),
        Check::Within(ranges) => (ranges.first().and_then(|r| r.from), ranges.first().and_then(|r| r.until)),
        // Text and tags have no order, which the operator was refused for.
        Check::Known | Check::Text(_) | Check::Tagged(_) => (None, None),
    };
    Check::Within(vec![match op {
        Op::Less => Range { from: None, until: first },
        Op::AtMost => Range { from: None, until: behind },
        Op::More => Range { from: behind, until: None },
        _ => Range { from: first, until: None },
    }])
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number| (-NUMBER_MAX..=NUMBER_MAX).contains(number))
}

/// A number with up to six decimals, in millionths; `None` for another text, and for one of over thirteen digits.
pub(super) fn millionths(text: &str) -> Option<i64> {
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => (-1, bare),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = bare.split_once('.').unwrap_or((bare, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(rest) {
        return None;
    }
    // What lies beyond the sixth decimal is not looked at.
    let rest: i64 = format!("{rest:0<6}").get(..6)?.parse().ok()?;
    let whole: i64 = whole.parse().ok().filter(|whole| *whole <= WHOLE_MAX)?;
    Some(sign * (whole * MILLION + rest))
}

pub(super) fn flag(text: &str) -> Option<i64> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Some(1),
        "0" | "false" | "no" => Some(0),
        _ => None,
    }
}
