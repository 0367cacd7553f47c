//! The command line: global flags, the table of groups; run, print, exit code.

mod cores;
mod flags;
mod stop;
mod typed;
mod version;

use crate::commands::{self, Context};
use crate::config::{Sources, secrets};
use crate::error::{Error, Kind, Lang, Result};
use crate::report::{Format, Out, failure_causes, failure_json, failure_line, keep_secret, veiled};
use crate::say;
use clap::{CommandFactory, FromArgMatches, Parser};
use flags::Global;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Duration;

/// Threads still busy after a command's end (a name lookup, a blocked read) get so long.
const LAST_WORK: Duration = Duration::from_millis(500);

/// One binary that operates a WeChat back end
#[derive(Debug, Parser)]
#[command(
    name = "wxops",
    disable_version_flag = true,
    before_help = "Example:\n  wxops init",
    max_term_width = 80,
    arg_required_else_help = true,
    subcommand_value_name = "GROUP",
    subcommand_help_heading = "Groups"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Each line is a group: the enum that clap reads, and the call of its `run(self, &mut Context)`. With
/// `["feature"]` before it, only builds with that feature have it.
macro_rules! groups {
    ($($([$feature:literal])? $(#[$meta:meta])* $name:ident($args:ty),)*) => {
        #[derive(Debug, clap::Subcommand)]
        enum Command {
            $($(#[cfg(feature = $feature)])? $(#[$meta])* $name($args),)*
        }

        impl Command {
            async fn run(self, context: &mut Context) -> Result<()> {
                match self {
                    $($(#[cfg(feature = $feature)])? Command::$name(args) => args.run(context).await,)*
                }
            }
        }
    };
}

// A group with verbs is an enum that derives `clap::Subcommand`; it has `#[command(subcommand)]` before its line.
groups! {
    Init(commands::init::Init),
    Serve(crate::serve::Serve),
    Status(commands::status::Status),
    ["sandbox"]
    #[command(subcommand)]
    Sandbox(commands::sandbox::Verb),
    #[command(subcommand)]
    Token(commands::token::Token),
    #[command(subcommand)]
    Callback(commands::callback::Callback),
    #[command(subcommand)]
    Followers(commands::followers::Followers),
    #[command(subcommand)]
    Events(commands::events::Events),
    #[command(subcommand)]
    Db(commands::db::Db),
    Explain(commands::explain::Explain),
    Doctor(commands::doctor::Doctor),
}

/// Parses, runs, prints, and gives the exit code of the process.
pub fn main() -> ExitCode {
    cores::none();
    stop::quiet_panics();
    let args: Vec<OsString> = std::env::args_os().collect();
    let mut screen = Screen::guess(&args);
    match std::panic::catch_unwind(AssertUnwindSafe(|| run(&args, &mut screen))) {
        Ok(code) => code,
        // The hook has said where.
        Err(_) => screen.fail(&Error::failed(say!("internal error, please report it"; "内部错误，请反馈")), true),
    }
}

/// How errors are shown.
struct Screen {
    format: Format,
    lang: Lang,
    causes: bool,
}

impl Screen {
    /// What the arguments say as long as they are not parsed, so that a wrong one is answered in the right form.
    fn guess(args: &[OsString]) -> Self {
        Screen { format: flags::guess_format(args), lang: flags::lang_of(None, None), causes: false }
    }

    /// Shows the error and gives its exit code; `said` when people have read about it already.
    fn fail(&self, error: &Error, said: bool) -> ExitCode {
        let mut lines = Vec::new();
        if self.format == Format::Table && !said {
            lines.push(failure_line(error, self.lang));
        }
        if self.causes {
            lines.extend(failure_causes(error, self.lang));
        }
        if self.format == Format::Json {
            lines.push(failure_json(error));
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // Nobody reads stderr: the exit code still tells.
        let _ = std::io::stderr().write_all(veiled(&text).as_bytes());
        ExitCode::from(error.kind.exit_code())
    }
}

fn run(args: &[OsString], screen: &mut Screen) -> ExitCode {
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            typed::keep(args);
            return usage(&error, screen);
        }
    };
    screen.format = cli.global.format();
    screen.causes = cli.global.verbose > 0;
    if cli.global.version {
        return version::show(screen.format);
    }
    let Some(command) = cli.command else {
        let help = Cli::command()
            .color(flags::guess_color(args))
            .error(clap::error::ErrorKind::MissingSubcommand, "a group is missing");
        return usage(&help, screen);
    };
    match context(&cli.global, screen).and_then(|context| execute(command, context, &cli.global, screen)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if matches!(error.kind, Kind::Usage | Kind::Config) {
                typed::keep(args);
            }
            screen.fail(&error, false)
        }
    }
}

fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let command = Cli::command().color(flags::guess_color(args));
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// Help is a result; everything else of clap's is exit 2.
fn usage(error: &clap::Error, screen: &Screen) -> ExitCode {
    if error.exit_code() == 0 {
        // A closed pipe is no failure of help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let _ = std::io::stderr().write_all(veiled(&error.to_string()).as_bytes());
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    screen.fail(&Error::usage(crate::error::Text { en: first.clone(), zh: first }), true)
}

fn context(global: &Global, screen: &mut Screen) -> Result<Context> {
    screen.lang = flags::lang_of(global.lang, None);
    let sources = global.over(Sources::of_process()?);
    let mut context = Context::new(sources, Out::stdout(screen.format, screen.lang, global.quiet), global.no_input);
    context.timeout = global.timeout;
    // A wrong configuration is told by the verb that needs it; `init` and `explain` work without.
    let config = context.config().ok();
    match config {
        Some(config) => keep_secret(&config.secrets),
        None => keep_secret(&secrets(&context.sources)),
    }
    let logs = global.logs(config);
    let bars = logs.color && std::io::stderr().is_terminal();
    logs.start();
    for warning in config.iter().flat_map(|config| &config.warnings) {
        tracing::warn!("{}", warning.in_lang(screen.lang));
    }
    screen.lang = flags::lang_of(global.lang, config.and_then(|config| config.lang));
    context.out.lang = screen.lang;
    context.out.bars = bars;
    Ok(context)
}

/// Runs the verb until it ends, or a signal or `--timeout` ends it.
fn execute(command: Command, mut context: Context, global: &Global, screen: &Screen) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(say!("cannot start threads: {error}"; "无法启动线程：{error}")).source(error))?;
    let last_words = {
        let screen = Screen { ..*screen };
        move |error: &Error| _ = screen.fail(error, false)
    };
    let result = runtime.block_on(async {
        let stopped = stop::watch(global.timeout, context.signals_taken(), last_words)?;
        tokio::select! {
            done = command.run(&mut context) => done.and_then(|()| context.out.flush()),
            Ok(error) = stopped => Err(error),
        }
    });
    runtime.shutdown_timeout(LAST_WORK);
    // `| head -1` has what it wants.
    if context.out.closed() { Ok(()) } else { result }
}

/// The error of a command that was ended from outside.
fn ended(kind: Kind) -> Error {
    match kind {
        Kind::Terminated => {
            Error::new(kind, say!("ended by SIGTERM; work done is kept"; "被 SIGTERM 终止；已完成的工作已保留"))
        }
        Kind::Unavailable => {
            Error::new(kind, say!("--timeout is over; work done is kept"; "已到 --timeout 的时限；已完成的工作已保留"))
                .next(say!("run it again to go on"; "再次运行即可继续"))
        }
        _ => Error::new(Kind::Interrupted, say!("interrupted; work done is kept"; "已中断；已完成的工作已保留")),
    }
}

#[cfg(test)]
mod tests;
