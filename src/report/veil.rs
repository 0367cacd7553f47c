//! The last cloth before stderr: whatever a message quotes, the secrets of this process are not in it. Messages are
//! written without secrets in the first place; this is for what others say, and for what is typed in a wrong place.

use super::{life, tail};
use crate::domain::secret::Secret;
use crate::domain::veil::Veil;
use std::borrow::Cow;
use std::io::{self, Stderr, Write};
use std::sync::{PoisonError, RwLock};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// A shorter secret is part of many a word: what is hidden would tell more than what is shown.
const FEWEST: usize = 8;

static VEIL: RwLock<Veil> = RwLock::new(Veil::new());

/// From now on no message and no log line shows these.
pub fn keep_secret<'a>(secrets: impl IntoIterator<Item = &'a Secret>) {
    let mut veil = VEIL.write().unwrap_or_else(PoisonError::into_inner);
    secrets.into_iter().filter(|secret| secret.reveal().len() >= FEWEST).for_each(|secret| veil.add(secret));
}

/// The text without what is kept secret.
pub fn veiled(text: &str) -> Cow<'_, str> {
    VEIL.read().unwrap_or_else(PoisonError::into_inner).hide(text)
}

/// Where log lines go.
pub(super) struct Log;

impl<'a> MakeWriter<'a> for Log {
    type Writer = Veiled;

    fn make_writer(&'a self) -> Veiled {
        Veiled { stderr: life::stderr(), looked_at: true }
    }

    /// Lines of level info are ours alone, made of names and numbers, and there is one an event: not looked at.
    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Veiled {
        Veiled { stderr: life::stderr(), looked_at: *meta.level() != Level::INFO }
    }
}

/// Stderr for one line, which comes in one piece.
pub(super) struct Veiled {
    stderr: Stderr,
    looked_at: bool,
}

impl Write for Veiled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = if self.looked_at { veiled(&text) } else { Cow::Borrowed(&*text) };
        tail::add(&text);
        self.stderr.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stderr.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ones_are_words() {
        keep_secret(&[Secret::new("wxops"), Secret::new("canary-of-the-veil")]);
        assert_eq!(veiled("wxops said canary-of-the-veil"), "wxops said ***");
    }
}
