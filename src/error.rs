//! One error for the whole house. It says what failed and what to do next, in English and Chinese,
//! and carries the decision: which exit code, and what a worker does with the item that met it.

use std::fmt;
use std::time::Duration;

/// A `Result` of this house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A sentence for people, in both languages of the product. Made by [`say!`](crate::say).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// `say!("cannot open {path}"; "打不开 {path}")` makes a [`Text`]; both halves capture like `format!`.
#[macro_export]
macro_rules! say {
    ($en:literal ; $zh:literal) => {
        $crate::error::Text { en: format!($en), zh: format!($zh) }
    };
}

/// The language messages for people are shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl Text {
    /// The sentence in one language.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// What kind of failure it is; the exit code and the HTTP status follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It failed.
    Failed,
    /// The command line is wrong, or a confirmation is missing.
    Usage,
    /// Some items failed, the others are done.
    Partial,
    /// The outcome of a send is not known.
    Unknown,
    /// A database, Redis, Elasticsearch or the platform is not reachable, or the quota is spent.
    Unavailable,
    /// Another run holds the lock.
    Busy,
    /// The platform says no: secret, IP list, permission.
    Refused,
    /// The configuration is wrong.
    Config,
    /// SIGINT: what was done is kept.
    Interrupted,
    /// SIGTERM: what was done is kept.
    Terminated,
}

impl Kind {
    /// The exit code of the process, as the README's table has it.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Partial => 3,
            Kind::Unknown => 4,
            Kind::Unavailable => 69,
            Kind::Busy => 75,
            Kind::Refused => 77,
            Kind::Config => 78,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }
}

/// What a worker does with the item that met the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The item failed: try it again later, park it when its tries are used up.
    Again,
    /// The item can't succeed as it is: park it at once.
    Never,
    /// The channel is ill, not the item: pause it and cost the item no attempt.
    Pause {
        /// How long until one probe may go out.
        after: Duration,
        /// The whole account (token, IP, network) or only the API that answered.
        whole_account: bool,
    },
}

/// What failed, why, what to do next, and what follows for the process and the item.
#[derive(Debug)]
pub struct Error {
    /// Exit code and HTTP status follow from it.
    pub kind: Kind,
    /// What a worker does with the item.
    pub then: Then,
    /// What failed and why, with the platform's own words where it spoke.
    pub what: Text,
    /// What a person should do next.
    pub next: Option<Text>,
    /// The platform's code.
    pub errcode: Option<i64>,
    /// The platform's request id.
    pub rid: Option<String>,
    /// A text that a person wrote, and the letter of it that the error is about (0: the first).
    pub place: Option<(String, usize)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `what`; the item may be tried again.
    pub fn new(kind: Kind, what: Text) -> Self {
        Error { kind, then: Then::Again, what, next: None, errcode: None, rid: None, place: None, source: None }
    }

    /// A failure with no better kind (exit 1).
    pub fn failed(what: Text) -> Self {
        Self::new(Kind::Failed, what)
    }

    /// A wrong command line (exit 2).
    pub fn usage(what: Text) -> Self {
        Self::new(Kind::Usage, what)
    }

    /// A wrong configuration (exit 78).
    pub fn config(what: Text) -> Self {
        Self::new(Kind::Config, what)
    }

    /// Something that can't be reached just now (exit 69).
    pub fn unavailable(what: Text) -> Self {
        Self::new(Kind::Unavailable, what)
    }

    /// What a person should do about it.
    #[must_use]
    pub fn next(mut self, next: Text) -> Self {
        self.next = Some(next);
        self
    }

    /// What a worker should do with the item.
    #[must_use]
    pub fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// The error underneath, shown with `-v`.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The letter of a text that it is about; people are shown both.
    #[must_use]
    pub fn pointing(mut self, text: &str, letter: usize) -> Self {
        self.place = Some((text.to_owned(), letter));
        self
    }

    /// The chain of causes, outermost first, one line each.
    pub fn causes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut at: Option<&dyn std::error::Error> = self.source.as_deref().map(|e| e as _);
        while let Some(e) = at {
            lines.push(e.to_string());
            at = e.source();
        }
        lines
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what.en)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
