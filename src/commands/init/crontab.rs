//! `wxops init --crontab`: the lines of cron/wxops for a crontab of one's own.

use super::call;
use crate::commands::Context;
use crate::config::{Config, Sources};
use crate::error::{Lang, Result};
use crate::report::Report;
use crate::say;
use serde_json::json;

/// The shipped file, which is for /etc/cron.d.
const SHIPPED: &str = include_str!("../../../cron/wxops");
/// How its lines call the program: behind the user, whom a crontab of one's own does not name.
const CALL: &str = "wxops /usr/local/bin/wxops --config /etc/wxops/wxops.toml";
/// Between such lines is ours; of the queue a block of its own.
const BEGIN: &str = "# BEGIN wxops";
const END: &str = "# END wxops";
/// What a job of the queue calls, and the one that `serve` may do itself.
const QUEUE: &str = " queue ";
const DRAIN: &str = " queue drain ";

/// Shows the block. What a job would not find is said beside it.
pub(super) fn show(context: &mut Context) -> Result<()> {
    let config = context.config()?;
    let call = call_of(config, &context.sources)?;
    for note in [missing(config, &context.sources), call::only_here(config)].into_iter().flatten() {
        context.out.note(&note);
    }
    let (tells, in_serve) = (config.queue.tells(), config.queue.in_serve);
    let is_on = |job: &str| tells && !(in_serve && job.contains(DRAIN));
    context.out.show(&Block(block(&call, is_on)))
}

/// The command of a line, up to the verb's flags.
fn call_of(config: &Config, sources: &Sources) -> Result<String> {
    let mut call = String::new();
    if call::needs_folder(config, sources) {
        let folder = std::path::absolute(&sources.dir).unwrap_or_else(|_| sources.dir.clone());
        let folder: std::path::PathBuf = folder.components().collect();
        call = format!("cd {} && ", quoted(call::text(&folder)?));
    }
    call += &quoted(call::text(&call::binary(sources)?)?);
    match call::file(config, sources) {
        Some(file) => call += &format!(" --config {}", quoted(call::text(&file)?)),
        None if !call::needs_folder(config, sources) => {
            call += &format!(" --config {}", quoted(call::text(&sources.etc)?));
        }
        None => {}
    }
    Ok(call)
}

fn missing(config: &Config, sources: &Sources) -> Option<crate::error::Text> {
    let etc = sources.etc.display();
    (config.file.is_none() && config.dotenv.is_none()).then(|| {
        say!(
            "beware: there is no configuration yet; the lines read {etc}";
            "注意：目前还没有配置；这些行读取 {etc}"
        )
    })
}

/// What stands between the marks, with that call; jobs of the queue are on where they have something to do.
fn block(call: &str, is_on: impl Fn(&str) -> bool) -> String {
    let mut lines: Vec<&str> = SHIPPED.lines().skip_while(|line| !line.starts_with(BEGIN)).collect();
    lines.truncate(lines.iter().rposition(|line| line.starts_with(END)).map_or(0, |last| last + 1));
    let mut block = String::new();
    for line in lines {
        let job = line.strip_prefix('#').filter(|job| job.contains(CALL) && job.contains(QUEUE));
        let line = job.filter(|job| is_on(job)).unwrap_or(line);
        block += &line.replacen(CALL, call, 1);
        block.push('\n');
    }
    block
}

/// One word of a crontab's command: for the shell in quotes where it needs them, and for cron with `\%`, because a `%`
/// is a line break there.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._+@:,=-".contains(c);
    let word = match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    };
    word.replace('%', r"\%")
}

struct Block(String);

impl Report for Block {
    fn json(&self) -> serde_json::Value {
        json!({ "crontab": self.0 })
    }

    fn text(&self, _: Lang) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_block_has_every_line_without_the_user() {
        let block = block("/opt/wxops --config /srv/wxops.toml", |_| false);
        let lines: Vec<_> = block.lines().collect();
        assert_eq!((lines[0], *lines.last().unwrap()), (BEGIN, "# END wxops queue"));
        let shipped = SHIPPED.lines().filter(|line| line.contains(CALL)).count();
        assert_eq!(block.matches("/opt/wxops --config /srv/wxops.toml -q --timeout ").count(), shipped);
        assert!(shipped >= 7 && !block.contains("/usr/local/") && !block.contains("MAILTO"));
        assert!(block.contains("\n* * * * * /opt/wxops --config /srv/wxops.toml -q"));
    }

    #[test]
    fn jobs_of_the_queue_are_on_where_somebody_is_told() {
        let on = |is_on: fn(&str) -> bool| {
            let block = block("/opt/wxops", is_on);
            let jobs = block.lines().filter(|line| !line.starts_with('#') && line.contains(QUEUE));
            jobs.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(on(|_| false), [""; 0]);
        assert!(on(|_| true)[0].starts_with("* * * * * /opt/wxops -q --timeout 58s queue drain --max-time 50s"));
        assert_eq!((on(|_| true).len(), on(|job| !job.contains(DRAIN)).len()), (2, 1));
    }

    #[test]
    fn a_path_is_one_word_for_cron_and_for_the_shell() {
        assert_eq!(quoted("/srv/微信/wxops.toml"), "/srv/微信/wxops.toml");
        assert_eq!(quoted("/srv/it's 100%/x"), r"'/srv/it'\''s 100\%/x'");
    }
}
