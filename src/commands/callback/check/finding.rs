//! What was found: one line a question that was put to the URL.

use super::client::Answer;
use crate::error::Text;
use crate::say;
use std::time::Duration;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether the platform would call this address at all.
    Address,
    /// The name's addresses.
    Dns,
    /// A TCP connection.
    Connection,
    /// The certificate.
    Tls,
    /// The GET of the console.
    UrlCheck,
    /// The same with a wrong signature.
    ForgedCheck,
    /// A signed POST.
    Push,
    /// A POST with wrong signatures.
    ForgedPush,
    /// A clear POST to a server that expects encryption.
    ClearPush,
}

impl Question {
    /// The name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Question::Address => "address",
            Question::Dns => "dns",
            Question::Connection => "connection",
            Question::Tls => "tls",
            Question::UrlCheck => "url_check",
            Question::ForgedCheck => "forged_check",
            Question::Push => "push",
            Question::ForgedPush => "forged_push",
            Question::ClearPush => "clear_push",
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Question::Address => say!("address"; "地址"),
            Question::Dns => say!("DNS"; "域名解析"),
            Question::Connection => say!("connection"; "连接"),
            Question::Tls => say!("TLS"; "TLS 证书"),
            Question::UrlCheck => say!("URL check"; "URL 校验"),
            Question::ForgedCheck => say!("forged check"; "伪造的校验"),
            Question::Push => say!("push"; "推送"),
            Question::ForgedPush => say!("forged push"; "伪造的推送"),
            Question::ClearPush => say!("clear push"; "明文推送"),
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As the platform wants it.
    Ok,
    /// It works, and a person should know this.
    Warning,
    /// Wrong: exit 1.
    Failed,
    /// No answer: exit 69.
    Unreachable,
    /// Not asked, because what came before failed or `--no-post` was given.
    Skipped,
}

impl Verdict {
    /// The name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
            Verdict::Unreachable => "unreachable",
            Verdict::Skipped => "skipped",
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Verdict::Ok => say!("ok"; "通过"),
            Verdict::Warning => say!("warning"; "注意"),
            Verdict::Failed => say!("FAILED"; "失败"),
            Verdict::Unreachable => say!("NO ANSWER"; "无应答"),
            Verdict::Skipped => say!("skipped"; "跳过"),
        }
    }
}

/// One question and its answer.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was asked.
    pub question: Question,
    /// How it ended.
    pub verdict: Verdict,
    /// The cause in a word, for programs; absent where all is well.
    pub cause: Option<&'static str>,
    /// The cause in a sentence.
    pub what: Text,
    /// What a person should do.
    pub next: Option<Text>,
    /// The status of the answer it rests on.
    pub status: Option<u16>,
    /// How long that answer took.
    pub took: Option<Duration>,
}

impl Finding {
    /// All is well.
    pub fn ok(question: Question, what: Text) -> Self {
        Finding { question, verdict: Verdict::Ok, cause: None, what, next: None, status: None, took: None }
    }

    /// Works, but.
    pub fn warning(question: Question, cause: &'static str, what: Text) -> Self {
        Finding { verdict: Verdict::Warning, cause: Some(cause), ..Finding::ok(question, what) }
    }

    /// Wrong.
    pub fn failed(question: Question, cause: &'static str, what: Text) -> Self {
        Finding { verdict: Verdict::Failed, cause: Some(cause), ..Finding::ok(question, what) }
    }

    /// No answer.
    pub fn unreachable(question: Question, cause: &'static str, what: Text) -> Self {
        Finding { verdict: Verdict::Unreachable, cause: Some(cause), ..Finding::ok(question, what) }
    }

    /// Not asked.
    pub fn skipped(question: Question, what: Text) -> Self {
        Finding { verdict: Verdict::Skipped, ..Finding::ok(question, what) }
    }

    /// What a person should do.
    #[must_use]
    pub fn next(mut self, next: Text) -> Self {
        self.next = Some(next);
        self
    }

    /// The answer it rests on.
    #[must_use]
    pub fn of(mut self, answer: &Answer) -> Self {
        self.status = Some(answer.status);
        self.took = Some(answer.took);
        self
    }

    /// Whether the question was answered as the platform wants it.
    pub fn good(&self) -> bool {
        matches!(self.verdict, Verdict::Ok | Verdict::Warning)
    }
}
