//! Our lines about the queue in the crontab of whoever runs this. Only those between the marks that `init --crontab`
//! prints; never another line.

use crate::error::{Error, Result, Text};
use crate::say;
use std::io::Write;
use std::process::{Command, Stdio};

/// How a block of ours begins and ends.
const BEGIN: &str = "# BEGIN wxops";
const END: &str = "# END wxops";
/// What a line about the queue calls.
const CALL: &str = " queue ";

/// What was found.
pub(super) enum Cron {
    /// There is none, or none of ours is in it.
    Nothing,
    /// It could not be read, or is not to be touched; why.
    Left(Text),
    /// Lines of ours.
    Ours {
        /// The whole.
        whole: String,
        /// The same without them.
        rest: String,
        /// Those that go.
        gone: Vec<String>,
    },
}

impl Cron {
    /// Lines that go, without the marks around them.
    pub fn lines(&self) -> &[String] {
        match self {
            Cron::Ours { gone, .. } => gone,
            _ => &[],
        }
    }

    /// What a person should know.
    pub fn note(&self) -> Option<Text> {
        match self {
            Cron::Left(why) => Some(why.clone()),
            _ => None,
        }
    }
}

/// Looks, and changes nothing.
pub(super) async fn look() -> Cron {
    tokio::task::spawn_blocking(read).await.unwrap_or(Cron::Nothing)
}

/// Takes our lines out, if the crontab is still as it was.
pub(super) async fn take_out(found: Cron) -> Result<Cron> {
    let Cron::Ours { whole, rest, gone } = found else { return Ok(found) };
    let done = tokio::task::spawn_blocking(move || {
        match read() {
            Cron::Ours { whole: now, .. } if now == whole => {}
            other => return Ok(other),
        }
        write(&rest)?;
        Ok(Cron::Ours { whole, rest, gone })
    });
    done.await.map_err(|error| Error::failed(say!("the crontab was not changed"; "crontab 未改动")).source(error))?
}

fn read() -> Cron {
    // What it says of an empty crontab is in the language of LC_ALL; its exit code is not.
    let output = match Command::new("crontab").arg("-l").stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => output,
        _ => return Cron::Nothing,
    };
    match String::from_utf8(output.stdout) {
        Ok(text) => without_ours(&text),
        Err(_) => Cron::Left(say!(
            "the crontab is no UTF-8 and is left as it is: crontab -e";
            "crontab 不是 UTF-8，未改动：请用 crontab -e"
        )),
    }
}

fn write(text: &str) -> Result<()> {
    let failed = |why: String| {
        Error::failed(say!("the crontab was not changed: {why}"; "crontab 未改动：{why}"))
            .next(say!("take our lines out by hand: crontab -e"; "请手工删除其中 wxops 的行：crontab -e"))
    };
    // An empty one is no crontab at all.
    let args = if text.is_empty() { ["-r"] } else { ["-"] };
    let mut child = Command::new("crontab")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Where it does not read, its exit code says so.
        let _ = stdin.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

/// A crontab without our lines about the queue; a block that holds no other job goes as a whole.
fn without_ours(whole: &str) -> Cron {
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let (mut rest, mut gone, mut at) = (String::new(), Vec::new(), 0);
    while at < lines.len() {
        if !lines[at].starts_with(BEGIN) {
            rest.push_str(lines[at]);
            at += 1;
            continue;
        }
        let Some(end) = lines[at..].iter().position(|line| line.starts_with(END)) else {
            return Cron::Left(say!(
                "the crontab has {BEGIN} without {END} and is left as it is: crontab -e";
                "crontab 中有 {BEGIN} 而没有 {END}，未改动：请用 crontab -e"
            ));
        };
        let block = &lines[at..=at + end];
        let kept: Vec<&str> = block.iter().copied().filter(|line| !is_ours(line)).collect();
        gone.extend(block.iter().filter(|line| is_ours(line)).map(|line| line.trim_end().to_owned()));
        let has_jobs = kept.iter().any(|line| !line.starts_with('#') && !line.trim().is_empty());
        let untouched = kept.len() == block.len();
        if has_jobs || untouched {
            kept.iter().for_each(|line| rest.push_str(line));
        }
        at += end + 1;
    }
    match gone.is_empty() {
        true => Cron::Nothing,
        false => Cron::Ours { whole: whole.to_owned(), rest, gone },
    }
}

/// A job of the queue, also one that is switched off.
fn is_ours(line: &str) -> bool {
    let job = line.trim_start_matches('#');
    job.contains("wxops")
        && job.contains(CALL)
        && job.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(text: &str) -> (String, usize) {
        match without_ours(text) {
            Cron::Ours { rest, gone, .. } => (rest, gone.len()),
            Cron::Nothing => (text.to_owned(), 0),
            Cron::Left(why) => (why.en, 0),
        }
    }

    #[test]
    fn only_jobs_of_the_queue_between_our_marks_go() {
        let block = "# BEGIN wxops\n# Each night.\n17 3 * * * /usr/local/bin/wxops -q followers sync\n* * * * * /usr/local/bin/wxops -q queue drain\n#5 4 * * * /usr/local/bin/wxops queue cleanup\n# END wxops\n";
        let others = "MAILTO=a@b\n* * * * * cd /crm && node queue drain\n0 1 * * * wxops queue status\n";
        let (rest, gone) = parted(&format!("{others}{block}0 2 * * * last"));
        assert_eq!(gone, 2);
        let kept = "# BEGIN wxops\n# Each night.\n17 3 * * * /usr/local/bin/wxops -q followers sync\n# END wxops\n";
        assert_eq!(rest, format!("{others}{kept}0 2 * * * last"));
    }

    #[test]
    fn a_block_without_another_job_goes_whole() {
        let block = "# BEGIN wxops queue\n# Each minute.\n* * * * * /opt/wxops -q queue drain\n\n# END wxops queue\n";
        assert_eq!(parted(block), (String::new(), 1));
        assert_eq!(parted(&format!("a\n{block}b\n")), ("a\nb\n".to_owned(), 1));
    }

    #[test]
    fn what_is_not_ours_or_not_whole_is_left() {
        for text in ["", "* * * * * wxops queue drain\n", "# BEGIN wxops\n1 1 * * * wxops token refresh\n# END wxops\n"]
        {
            assert_eq!(parted(text), (text.to_owned(), 0));
        }
        let (why, gone) = parted("# BEGIN wxops\n* * * * * wxops queue drain\n");
        assert!(why.contains("without # END wxops") && gone == 0);
    }
}
