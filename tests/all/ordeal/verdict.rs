//! What an ordeal cost: a row of the table that scripts/faults prints. Every bar is looked at before one fails it.

use super::load::{Came, Sample};
use crate::durability::{handled_twice, stored_numbers};
use crate::load::events::Events;
use crate::rows::Db;
use crate::stage::{Serve, Stage};
use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

/// The file that rows are added to; set by scripts/faults.
const ROWS: &str = "WXOPS_TEST_FAULTS_ROWS";
/// How long what was acknowledged may take to be in the database once nothing is wrong any more.
const MOVED_IN: Duration = Duration::from_secs(10);
/// How long a row that was in hand may take to be handled: until its lease has run out, and the sweep comes by.
const HANDLED: Duration = Duration::from_secs(45);
/// In scripts/test leases end by then.
const LEASES_END: Duration = Duration::from_secs(3);

/// Between two looks.
const POLL: Duration = Duration::from_millis(100);

/// One fault on one database.
pub struct Verdict {
    fault: &'static str,
    db: Db,
    pub samples: Vec<Sample>,
    pub acknowledged: usize,
    lost: usize,
    repeated: u64,
    recovered: Option<Duration>,
    moved_in: Option<Duration>,
    missed: Vec<String>,
}

impl Verdict {
    /// Looks until everything acknowledged is stored and handled, or the time for it is over.
    pub(super) async fn of(
        fault: &'static str,
        stage: &Stage,
        samples: Vec<Sample>,
        acknowledged: &[u64],
        events: &Events,
    ) -> Self {
        let start = Instant::now();
        let (stored, lost) = loop {
            let stored = stored_numbers(stage, events).await;
            let lost = acknowledged.iter().filter(|number| !stored.contains_key(number)).count();
            if lost == 0 || start.elapsed() > MOVED_IN {
                break (stored, lost);
            }
            tokio::time::sleep(POLL).await;
        };
        let start = Instant::now();
        let undone = loop {
            let undone = stage.number("SELECT COUNT(*) FROM inbox_event WHERE state <> 'done'").await;
            if undone == 0 || start.elapsed() > HANDLED {
                break undone;
            }
            if !super::in_full() && start.elapsed() > LEASES_END {
                stage.execute("UPDATE inbox_event SET lease_until = 0 WHERE state = 'new'").await;
            }
            tokio::time::sleep(POLL).await;
        };
        let repeated = stored.values().map(|rows| rows - 1).sum();
        let (acknowledged, db) = (acknowledged.len(), stage.db);
        let mut verdict = Verdict {
            fault,
            db,
            samples,
            acknowledged,
            lost,
            repeated,
            recovered: None,
            moved_in: None,
            missed: Vec::new(),
        };
        verdict.bar(undone == 0, format!("{undone} events were not handled"));
        verdict
    }

    /// From the end of the fault until all was well.
    pub fn recovered(&mut self, took: Duration, most: Duration) {
        self.recovered = Some(took);
        self.bar(took <= most, format!("it took {took:?} to recover, the bar is {most:?}"));
    }

    /// From the end of the fault until nothing waited in the spool.
    pub fn moved_in(&mut self, took: Duration, most: Duration) {
        self.moved_in = Some(took);
        self.bar(took <= most, format!("it took {took:?} to move all in, the bar is {most:?}"));
    }

    /// Something that must be so.
    pub fn bar(&mut self, met: bool, else_say: impl Display) {
        if !met {
            self.missed.push(else_say.to_string());
        }
    }

    /// How many requests ended so.
    pub fn count(&self, which: impl Fn(&Sample) -> bool) -> usize {
        self.samples.iter().filter(|sample| which(sample)).count()
    }

    /// Writes the row, and fails where something was lost, repeated, handled twice or missed.
    #[track_caller]
    pub fn close(mut self, serve: &Serve) {
        let twice = handled_twice(&serve.log());
        self.bar(twice.is_empty(), format!("handled twice: {twice:?}"));
        self.close_without_log();
    }

    /// The same where nobody has read the log.
    #[track_caller]
    pub fn close_without_log(mut self) {
        let broken = self.count(|sample| sample.came == Came::Broken);
        let [recovered, moved_in] = [self.recovered, self.moved_in]
            .map(|time| time.map_or("-".into(), |took| format!("{:.1} s", took.as_secs_f64())));
        let attempted = self.samples.len();
        let (fault, db, acknowledged) = (self.fault, self.db, self.acknowledged);
        let (lost, repeated) = (self.lost, self.repeated);
        self.bar(acknowledged > 0, "nothing was acknowledged at all");
        self.bar(lost == 0 && repeated == 0, format!("{lost} lost, {repeated} repeated"));
        let missed = self.missed.join("; ");
        let row = format!(
            "{fault}\t{db:?}\t{attempted}\t{acknowledged}\t{lost}\t{repeated}\t{recovered}\t{moved_in}\t{missed}"
        );
        println!("{row} ({broken} broken)");
        if let Some(file) = std::env::var_os(ROWS) {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).expect("the file of rows");
            writeln!(file, "{row}").expect("the file of rows");
        }
        assert!(self.missed.is_empty(), "{fault} on {db:?}: {missed}");
    }
}
