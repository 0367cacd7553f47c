//! Asks one thing, and listens to the witness meanwhile.

use super::client::{Answer, Line, Silence};
use super::letter::{Dress, Letter, Writer};
use super::receipt;
use super::witness::{Witness, grown};
use crate::domain::account::{Mode, Official};
use crate::domain::secret::Secret;
use crate::wire::reason::Reason;
use reqwest::Url;

/// All that a question needs.
pub struct Probe<'a> {
    /// The way to the URL.
    pub line: Line,
    /// The URL.
    pub url: &'a Url,
    /// Whom we play the platform for.
    pub account: &'a Official,
    /// The current Token.
    pub token: &'a Secret,
    /// The accounts beside it, whose URL this may be.
    pub others: Vec<&'a Official>,
    /// The mode we play.
    pub mode: Mode,
    /// Makes what is sent.
    pub writer: Writer<'a>,
    /// A `serve` of this machine, where one tells its counters.
    pub witness: Option<Witness>,
}

/// What came of one request.
pub struct Asked {
    /// The answer, or why there is none.
    pub answer: Result<Answer, Silence>,
    /// What the `serve` of this machine counted meanwhile.
    pub reason: Option<Reason>,
}

impl Probe<'_> {
    /// Sends a letter.
    pub async fn ask(&self, letter: &Letter) -> Asked {
        ask(&self.line, self.witness.as_ref(), letter).await
    }

    /// Sends a push; the answer, where one came.
    pub async fn push(&self, token: &Secret, dress: Dress<'_>) -> Option<Answer> {
        self.line.send(&self.writer.push(token, dress)).await.ok()
    }

    /// Whether this answer to a push means that it was taken, in whatever mode.
    pub fn takes(&self, answer: &Answer) -> bool {
        answer.status == 200 && receipt::read(self.account, Mode::Compat, &answer.body, &answer.shown).is_ok()
    }
}

/// Sends a letter, and looks at what the witness counted meanwhile.
pub async fn ask(line: &Line, witness: Option<&Witness>, letter: &Letter) -> Asked {
    let before = counts(witness).await;
    let answer = line.send(letter).await;
    let reason = match (before, &answer) {
        (Some(before), Ok(answer)) if answer.status >= 400 => {
            counts(witness).await.and_then(|after| grown(&before, &after))
        }
        _ => None,
    };
    Asked { answer, reason }
}

async fn counts(witness: Option<&Witness>) -> Option<super::witness::Counts> {
    witness?.counts().await
}
