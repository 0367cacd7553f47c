//! `--metrics-file`: what the textfile collector of node_exporter reads. Written aside and renamed; what the file said
//! of other jobs and accounts stays in it.

use super::run::Counts;
use crate::error::{Error, Result};
use crate::say;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The collector runs as another user.
const MODE: u32 = 0o644;
/// A longer file is none of ours.
const LONGEST: u64 = 1 << 20;

const LAST_SUCCESS: &str = "wxops_job_last_success_timestamp_seconds";
const LAST_RUN: &str = "wxops_job_last_run_timestamp_seconds";
const DURATION: &str = "wxops_job_duration_seconds";
const EXIT_CODE: &str = "wxops_job_exit_code";
const ITEMS: &str = "wxops_job_items_total";

/// What is said of a job and account.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures {
    /// When it ended well last, seconds; 0: never.
    pub last_success: f64,
    /// When it ended last, seconds.
    pub last_run: f64,
    /// How long it took, seconds.
    pub duration: f64,
    /// What its process would have ended with for this account alone.
    pub exit_code: u8,
    /// What was done in all runs since the file began.
    pub items: Counts,
}

/// All that a file says, by job and account.
pub(super) type Page = BTreeMap<(String, String), Figures>;

/// What the file says now; nothing where there is none, or it is none of ours.
pub(super) fn read(path: &Path) -> Page {
    let ours = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST);
    if !ours {
        return Page::new();
    }
    parse(&fs::read_to_string(path).unwrap_or_default())
}

fn parse(text: &str) -> Page {
    let mut page = Page::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Some((name, labels)) = series.split_once('{') else { continue };
        let Some((labels, Ok(value))) = labels.strip_suffix('}').map(|labels| (labels, value.parse::<f64>())) else {
            continue;
        };
        let label = |wanted: &str| {
            let mut pairs = labels.split("\",").filter_map(|pair| pair.split_once("=\""));
            pairs.find(|(name, _)| *name == wanted).map(|(_, text)| text.trim_end_matches('"').to_owned())
        };
        let Some(who) = label("job").zip(label("account")) else { continue };
        let figures = page.entry(who).or_default();
        match name {
            LAST_SUCCESS => figures.last_success = value,
            LAST_RUN => figures.last_run = value,
            DURATION => figures.duration = value,
            EXIT_CODE => figures.exit_code = value as u8,
            ITEMS => drop(label("result").map(|result| figures.items.insert(result, value as u64))),
            _ => {}
        }
    }
    page
}

fn render(page: &Page) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Figures) -> f64| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for ((job, account), figures) in page {
            let _ = writeln!(text, "{name}{{job=\"{job}\",account=\"{account}\"}} {}", value(figures));
        }
    };
    family(LAST_SUCCESS, "gauge", "When the job ended well last; 0: never.", &|figures| figures.last_success);
    family(LAST_RUN, "gauge", "When the job ended last.", &|figures| figures.last_run);
    family(DURATION, "gauge", "How long the last run took.", &|figures| figures.duration);
    family(EXIT_CODE, "gauge", "The exit code of the last run for this account.", &|figures| figures.exit_code.into());
    if page.values().all(|figures| figures.items.is_empty()) {
        return text;
    }
    let _ = writeln!(text, "# HELP {ITEMS} What the runs of the job have done.\n# TYPE {ITEMS} counter");
    for ((job, account), figures) in page {
        for (result, count) in &figures.items {
            let _ = writeln!(text, "{ITEMS}{{job=\"{job}\",account=\"{account}\",result=\"{result}\"}} {count}");
        }
    }
    text
}

/// Replaces the file in one step: whoever reads it sees the old one or the new one, and so does who reads it after a
/// crash.
pub(super) fn write(path: &Path, page: &Page) -> Result<()> {
    let failed = |error: std::io::Error| {
        let file = path.display();
        Error::failed(
            say!("--metrics-file {file} can't be written: {error}"; "--metrics-file {file} 无法写入：{error}"),
        )
    };
    let Some(name) = path.file_name() else { return Err(failed(std::io::ErrorKind::IsADirectory.into())) };
    // The collector reads what ends in .prom.
    let aside = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let _ = fs::remove_file(&aside);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&aside)?;
        // Whatever the umask says.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.write_all(render(page).as_bytes())?;
        file.sync_data()?;
        fs::rename(&aside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written.map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page() -> Page {
        let who = |account: &str| ("followers sync".to_owned(), account.to_owned());
        let items = Counts::from([("new".to_owned(), 3), ("seen".to_owned(), 1_000_000)]);
        let figures = Figures { last_success: 1.75e9, last_run: 1.75e9, duration: 0.125, exit_code: 0, items };
        let failed = Figures { exit_code: 69, last_run: 1.75e9 + 0.5, ..Figures::default() };
        Page::from([(who("main"), figures), (who("second"), failed)])
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = render(&page());
        assert_eq!(parse(&text), page());
        assert!(text.contains(
            "wxops_job_last_success_timestamp_seconds{job=\"followers sync\",account=\"main\"} 1750000000\n"
        ));
        assert!(text.contains("# TYPE wxops_job_items_total counter\n"), "{text}");
        assert!(!render(&Page::new()).contains("items"), "no family without a series");
        assert_eq!(parse("of another program\nx{y=\"z\"} 1\n# wxops_job\nwxops_job_exit_code 3\n"), Page::new());
    }

    #[test]
    fn a_file_is_replaced_whole_and_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wxops.prom");
        write(&file, &page()).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(read(&file), page());
        assert!(
            write(&folder.path().join("none/wxops.prom"), &page()).unwrap_err().what.en.contains("none/wxops.prom")
        );
        assert!(write(folder.path(), &page()).is_err(), "a folder stands there");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
        assert_eq!(read(Path::new("/dev/zero")), Page::new());
    }
}
