//! How soon it is ready, how little it is while idle, how fast its help, how large its file.

use super::bars::{self, Verdict};
use super::raw::{Raw, median};

/// Where a figure is of no database.
const NO_DATABASE: &str = "-";

fn all<'a>(raw: &'a Raw, what: &'a str, db: &'a str) -> impl Iterator<Item = f64> + 'a {
    raw.rows().filter(move |row| row.is("what", what) && row.is("database", db)).map(|row| row.number("value"))
}

fn middle(raw: &Raw, what: &str, db: &str) -> f64 {
    median(all(raw, what, db))
}

pub fn verdicts(raw: &Raw) -> Vec<Verdict> {
    let of_database = |db| {
        let [ready, rss] = ["ready", "rss"].map(|what| middle(raw, what, db));
        [bars::READY.judge(db, ready), bars::IDLE_MEMORY.judge(db, rss)]
    };
    let [help, size] = ["help", "size"].map(|what| middle(raw, what, NO_DATABASE));
    let of_itself = [bars::HELP.judge("wxops --help", help), bars::BINARY.judge("wxops", size)];
    super::databases(raw).flat_map(of_database).chain(of_itself).collect()
}

pub fn table(raw: &Raw) -> String {
    let mut lines = vec!["| what, median | figure |".to_owned(), "|---|---|".to_owned()];
    for db in super::databases(raw) {
        let [ready, rss, pss] = ["ready", "rss", "pss"].map(|what| middle(raw, what, db));
        let worst = all(raw, "ready", db).fold(f64::NAN, f64::max);
        lines.push(format!("| ready, {db} | {ready:.1} ms (worst {worst:.1}) |"));
        lines.push(format!("| idle memory, {db} | RSS {rss:.1} MiB, PSS {pss:.1} MiB |"));
    }
    let [help, size] = ["help", "size"].map(|what| middle(raw, what, NO_DATABASE));
    lines.push(format!("| --help | {help:.1} ms |"));
    lines.push(format!("| stripped binary | {size:.1} MiB |"));
    lines.join("\n") + "\n"
}
