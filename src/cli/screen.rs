//! How errors and help are shown: form, language, colour.

use super::{flags, translate};
use crate::error::{Error, Kind, Lang};
use crate::report::{Endless, Format, failure_causes, failure_json, failure_line, spoken, veiled};
use clap::builder::StyledStr;
use flags::Color;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

/// How errors and help are shown.
#[derive(Clone)]
pub(super) struct Screen {
    pub format: Format,
    pub lang: Lang,
    pub color: Color,
    /// `-v`: with the causes of an error.
    pub causes: bool,
    /// What the verb said of its end.
    pub endless: Arc<OnceLock<Endless>>,
}

impl Screen {
    /// What the arguments say as long as they are not parsed, so that a wrong one is answered in the right form.
    pub fn guess(args: &[OsString]) -> Self {
        Screen {
            format: flags::guess_format(args),
            lang: flags::guess_lang(args),
            color: flags::guess_color(args),
            causes: false,
            endless: Arc::default(),
        }
    }

    /// Shows the error and gives its exit code; `said` when people have read about it already.
    pub fn fail(&self, error: &Error, said: bool) -> ExitCode {
        // Who has seen enough of a verb that follows ends it so, and need not be told.
        let expected = error.kind == Kind::Interrupted && self.endless.get() == Some(&Endless::Follows);
        let mut lines = Vec::new();
        if self.format == Format::Table && !said && !expected {
            lines.push(failure_line(error, self.lang, self.color.of(&std::io::stderr())));
        }
        if self.causes {
            lines.extend(failure_causes(error, self.lang));
        }
        if self.format == Format::Json {
            lines.push(failure_json(error));
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        spoken();
        // Nobody reads stderr: the exit code still tells.
        let _ = std::io::stderr().write_all(veiled(&text).as_bytes());
        ExitCode::from(error.kind.exit_code())
    }

    /// Help that was asked for is a result; other help explains an error and goes to stderr.
    pub fn help(&self, help: &StyledStr, asked_for: bool) {
        // A reader that left is no failure of help.
        let _ = match asked_for {
            true => write!(std::io::stdout(), "{}", self.dressed(help, &std::io::stdout())),
            false => write!(std::io::stderr(), "{}", self.dressed(help, &std::io::stderr())),
        };
    }

    fn dressed(&self, help: &StyledStr, to: &impl IsTerminal) -> String {
        let text = if self.color.of(to) { help.ansi().to_string() } else { help.to_string() };
        translate::rendered(&text, self.lang)
    }
}
