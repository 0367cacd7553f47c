//! What is wrong with a filter, and where.

use crate::error::{Error, Text};
use crate::say;
use std::borrow::Cow;

/// How much of a word is repeated in a sentence.
const SHOWN: usize = 40;

/// A mistake at a place of the text, in bytes.
#[derive(Debug)]
pub(super) struct Wrong {
    at: usize,
    what: Text,
    next: Option<Text>,
}

impl Wrong {
    pub fn at(at: usize, what: Text) -> Self {
        Wrong { at, what, next: None }
    }

    pub fn next(mut self, next: Text) -> Self {
        self.next = Some(next);
        self
    }

    /// As an error that points at the letter (exit 2).
    pub fn in_text(self, text: &str) -> Error {
        let letters = text[..self.at.min(text.len())].chars().count();
        let (column, Text { en, zh }) = (letters + 1, self.what);
        let mut error = Error::usage(say!("the filter at column {column}: {en}"; "过滤条件第 {column} 列：{zh}"));
        error.next = self.next;
        match text.trim().is_empty() {
            true => error,
            false => error.pointing(text, letters),
        }
    }
}

/// A word as a sentence repeats it: not endless.
pub(super) fn shown(word: &str) -> Cow<'_, str> {
    match word.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &word[..end])),
        None => Cow::Borrowed(word),
    }
}
