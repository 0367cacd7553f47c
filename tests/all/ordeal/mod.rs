//! Ordeals: what fails while callbacks come in, and what is left of them afterwards. Outages are short in
//! scripts/test; scripts/faults plays them at full length and makes a table of the rows.

mod activation;
mod back;
mod clock;
pub mod disk;
mod load;
mod outage;
mod stop;
mod verdict;
mod watchdog;

use std::time::Duration;

/// Set by scripts/faults.
const FULL: &str = "WXOPS_TEST_FAULTS";

/// Whether this is scripts/faults.
pub fn in_full() -> bool {
    std::env::var(FULL).is_ok_and(|word| word == "full")
}

/// How long something is away: a minute, in scripts/test ten seconds.
pub fn outage() -> Duration {
    Duration::from_secs(if in_full() { 60 } else { 10 })
}

/// How long an ordeal may take.
pub fn limit() -> Duration {
    outage() + Duration::from_secs(80)
}

/// As `fault_stories!`, with time for an outage.
macro_rules! ordeals {
    ($($story:ident),+ $(,)?) => {
        mod sqlite { $crate::ordeal::ordeals!(@on Sqlite, $($story),+); }
        mod mariadb { $crate::ordeal::ordeals!(@on MariaDb, $($story),+); }
    };
    (@on $db:ident, $($story:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            let name = concat!(module_path!(), "::", stringify!($story));
            let stage = $crate::stage::Stage::new($crate::rows::Db::$db, name);
            $crate::stories::tell(stage, $crate::ordeal::limit(), super::$story).await;
        }
    )+};
}
pub(crate) use ordeals;
