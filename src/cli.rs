//! The command line: global flags, the table of groups; run, print, exit code.

mod completions;
mod cores;
mod exit_codes;
mod flags;
mod man;
mod own;
mod screen;
mod stop;
mod translate;
mod typed;
mod usage;
mod version;
mod wrap;
mod zh;

use crate::commands::{self, Context};
use crate::config::{Sources, secrets};
use crate::error::{Error, Kind, Lang, Result};
use crate::report::{Format, Out, keep_secret, signs_of_life};
use crate::say;
use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};
use flags::Global;
use own::Own;
use screen::Screen;
use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Duration;

/// The program's name, as it is typed.
const NAME: &str = "wxops";
/// Threads still busy after a command's end (a name lookup, a blocked read) get so long.
const LAST_WORK: Duration = Duration::from_millis(500);

/// One binary that operates a WeChat back end
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    disable_version_flag = true,
    disable_help_flag = true,
    disable_help_subcommand = true,
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
    command: Option<Typed>,
}

/// What can be typed behind the program's name.
#[derive(Debug, clap::Subcommand)]
enum Typed {
    #[command(flatten)]
    Group(Command),
    #[command(flatten)]
    Own(Own),
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
    Quota(commands::quota::Quota),
    #[command(subcommand)]
    Followers(commands::followers::Followers),
    #[command(subcommand)]
    Locations(commands::locations::Locations),
    #[command(subcommand)]
    Events(commands::events::Events),
    #[command(subcommand)]
    Queue(commands::queue::Queue),
    #[command(subcommand)]
    Sends(commands::sends::Sends),
    #[command(subcommand)]
    Jobs(commands::jobs::Jobs),
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

fn run(args: &[OsString], screen: &mut Screen) -> ExitCode {
    let cli = match parse(args, screen.lang) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, args, screen),
    };
    let global = &cli.global;
    screen.format = global.format();
    screen.causes = global.verbose > 0;
    if global.version {
        return version::show(screen.format);
    }
    let done = match cli.command {
        None => {
            screen.help(&tree(screen.lang).render_help(), false);
            return screen.fail(&Error::usage(say!("a command is missing"; "缺少命令")), true);
        }
        Some(Typed::Own(Own::Help(help))) if help.is_of_a_command() => return show_help(&help.topic, screen),
        Some(Typed::Own(own)) => {
            let mut out = Out::stdout(screen.format, screen.lang, global.quiet);
            let done = own.run(&mut out);
            if out.closed() { Ok(()) } else { done }
        }
        Some(Typed::Group(command)) => {
            context(global, screen).and_then(|context| execute(command, context, args, global, screen))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if matches!(error.kind, Kind::Usage | Kind::Config) {
                typed::keep(args);
            }
            screen.fail(&error, false)
        }
    }
}

/// The definition that arguments are parsed with, and that help, completions and man pages are made from.
fn tree(lang: Lang) -> clap::Command {
    translate::tree(Cli::command(), lang)
}

fn parse(args: &[OsString], lang: Lang) -> Result<Cli, clap::Error> {
    let parsed = tree(lang).try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| taken_for_a_value(&error, args, lang).unwrap_or(error))
}

/// A flag that nobody knows, where a value may begin with a dash and it was taken for one: seen for what it is by a
/// tree that allows no such value.
fn taken_for_a_value(error: &clap::Error, args: &[OsString], lang: Lang) -> Option<clap::Error> {
    fn strict(command: clap::Command) -> clap::Command {
        command.mut_args(|arg| arg.allow_hyphen_values(false)).mut_subcommands(strict)
    }
    let value = error.get(ContextKind::InvalidValue)?.to_string();
    let again = strict(tree(lang)).try_get_matches_from(args).err()?;
    (value.starts_with("--") && again.kind() == ErrorKind::UnknownArgument).then_some(again)
}

/// Help is a result where it was asked for; everything else of clap's is exit 2.
fn refuse(error: &clap::Error, args: &[OsString], screen: &Screen) -> ExitCode {
    let asked_for = error.exit_code() == 0;
    let help = asked_for || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if help {
        screen.help(&error.render(), asked_for);
    }
    match asked_for {
        true => ExitCode::SUCCESS,
        false => {
            typed::keep(args);
            screen.fail(&usage::error(error, &tree(Lang::En), args), help)
        }
    }
}

/// `help GROUP VERB` is `GROUP VERB --help`.
fn show_help(words: &[String], screen: &mut Screen) -> ExitCode {
    let words = words.iter().map(String::as_str);
    let args: Vec<OsString> = std::iter::once(NAME).chain(words).chain(["--help"]).map(OsString::from).collect();
    match parse(&args, screen.lang) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => refuse(&error, &args, screen),
    }
}

fn context(global: &Global, screen: &mut Screen) -> Result<Context> {
    screen.lang = flags::lang_of(global.lang, None);
    let sources = global.over(Sources::of_process()?);
    let mut context = Context::new(sources, Out::stdout(screen.format, screen.lang, global.quiet), global.no_input);
    screen.endless = context.endless();
    context.timeout = global.timeout;
    // A wrong configuration is told by the verb that needs it; `init` and `explain` work without.
    let config = context.config().ok();
    match config {
        Some(config) => keep_secret(&config.secrets),
        None => keep_secret(&secrets(&context.sources)),
    }
    global.logs(config).start();
    for warning in config.iter().flat_map(|config| &config.warnings) {
        tracing::warn!("{}", warning.in_lang(screen.lang));
    }
    screen.lang = flags::lang_of(global.lang, config.and_then(|config| config.lang));
    context.out.lang = screen.lang;
    context.out.bars = global.draws();
    Ok(context)
}

/// Runs the verb until it ends, or a signal or `--timeout` ends it.
fn execute(command: Command, mut context: Context, args: &[OsString], global: &Global, screen: &Screen) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(say!("cannot start threads: {error}"; "无法启动线程：{error}")).source(error))?;
    let last_words = {
        let screen = screen.clone();
        move |error: &Error| _ = screen.fail(error, false)
    };
    let result = runtime.block_on(async {
        let stopped = stop::watch(global.timeout, context.endless(), last_words)?;
        if screen.format == Format::Table && !global.quiet {
            let verb = usage::path(&tree(Lang::En), args);
            tokio::spawn(signs_of_life(verb, screen.lang, global.draws(), context.endless()));
        }
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
