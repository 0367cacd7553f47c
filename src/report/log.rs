//! Logs: one line each, on stderr.

use super::escape::escape;
use std::fmt::Write as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Libraries whose finer logs show request lines, and an access_token stands in those.
const CAPPED: [&str; 6] = ["h2", "hyper", "hyper_util", "reqwest", "rustls", "sqlx"];

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// Time with zone, level, text.
    #[default]
    Text,
    /// One object a line.
    Json,
    /// As text, with the priority that journald reads and without the time that it adds.
    Journald,
}

/// How to log.
#[derive(Debug, Clone)]
pub struct Logs {
    /// The form of a line.
    pub format: LogFormat,
    /// The filter, as `WXOPS_LOG` has it.
    pub filter: String,
    /// Whether levels have a colour.
    pub color: bool,
}

impl Logs {
    /// Starts logging. A second call in a process changes nothing.
    pub fn start(&self) {
        let filter = EnvFilter::try_new(capped(&self.filter)).unwrap_or_else(|_| EnvFilter::new("info"));
        // A stderr that is gone (a closed terminal or pipe) is no reason to fail, let alone to panic.
        let builder = tracing_subscriber::fmt().log_internal_errors(false);
        let builder = builder.with_env_filter(filter).with_writer(super::veil::Log);
        // Without the colours that the library gives to fields of spans.
        let plain = || debug_fn(|writer, field, value| write!(writer, "{field}={value:?}"));
        let _ = match self.format {
            LogFormat::Json => builder.json().flatten_event(true).with_timer(Rfc3339).try_init(),
            LogFormat::Text => {
                builder.with_ansi(self.color).fmt_fields(plain()).event_format(Line { journald: false }).try_init()
            }
            LogFormat::Journald => {
                builder.with_ansi(false).fmt_fields(plain()).event_format(Line { journald: true }).try_init()
            }
        };
    }
}

/// The filter without what would loosen a cap: a module of such a library by name, or spans, which are not ours.
fn capped(filter: &str) -> String {
    let loosens = |part: &&str| part.contains(['[', ']', '{', '}']) || CAPPED.iter().any(|name| part.starts_with(name));
    let kept = filter.split(',').map(str::trim).filter(|part| !loosens(part)).map(str::to_owned);
    kept.chain(CAPPED.map(|name| format!("{name}=info"))).collect::<Vec<_>>().join(",")
}

struct Rfc3339;

impl FormatTime for Rfc3339 {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&chrono::Local::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, false))
    }
}

struct Line {
    journald: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let level = *event.metadata().level();
        let (priority, color) = match level {
            Level::ERROR => (3, 31),
            Level::WARN => (4, 33),
            Level::INFO => (6, 32),
            _ => (7, 34),
        };
        if self.journald {
            write!(writer, "<{priority}>")?;
        } else {
            Rfc3339.format_time(&mut writer)?;
            match writer.has_ansi_escapes() {
                true => write!(writer, " \u{1b}[{color}m{level:>5}\u{1b}[0m ")?,
                false => write!(writer, " {level:>5} ")?,
            }
        }
        let mut line = String::new();
        event.record(&mut Fields(&mut line));
        // Those of ours alone: what libraries put into theirs is nobody's to know.
        for span in context.event_scope().into_iter().flatten() {
            if span.metadata().target().starts_with(env!("CARGO_PKG_NAME"))
                && let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                let _ = write!(line, " {fields}");
            }
        }
        writeln!(writer, "{}", escape(&line))
    }
}

/// The message, then `name=value` of each field.
struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() == "message" || !value.contains(char::is_whitespace) {
            true => self.record_debug(field, &format_args!("{value}")),
            false => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String can't fail. The message is recorded first when it is written first.
        let gap = if self.0.is_empty() { "" } else { " " };
        let _ = match field.name() {
            "message" => write!(self.0, "{gap}{value:?}"),
            name => write!(self.0, "{gap}{name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::{Arc, Mutex};

    fn logged(journald: bool, deed: impl FnOnce()) -> String {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(Line { journald })
            .with_writer(move || Kept(writer.clone()))
            .finish();
        tracing::subscriber::with_default(subscriber, deed);
        let bytes = kept.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn caps_hold_whatever_the_filter_says() {
        const CAPS: &str = "h2=info,hyper=info,hyper_util=info,reqwest=info,rustls=info,sqlx=info";
        for (filter, kept) in [
            ("debug,wxops=trace", "debug,wxops=trace"),
            ("warn, sqlx::query=trace,hyper_util::client::legacy=trace, wxops=debug", "warn,wxops=debug"),
            ("info,[request{a=1,b=2}]=trace", "info"),
        ] {
            assert_eq!(capped(filter), format!("{kept},{CAPS}"));
            assert!(EnvFilter::try_new(capped(filter)).is_ok());
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let deed = || tracing::warn!(openid = "o1…", why = "two words", count = 3, "refused\na push {}", "\u{1b}[2J");
        let line = logged(true, deed);
        assert_eq!(line, "<4>refused\\na push \\u{1b}[2J openid=o1… why=\"two words\" count=3\n");
        let line = logged(false, deed);
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
        assert!(rest.starts_with(" WARN refused"), "{rest}");
        assert_eq!(line.matches('\n').count(), 1);
        let in_a_span = || tracing::error_span!("request", request_id = %"r-1").in_scope(|| tracing::info!("done"));
        assert_eq!(logged(true, in_a_span), "<6>done request_id=r-1\n");
    }
}
