//! A story is told on each database, within a limit.

use crate::stage::Stage;
use std::time::Duration;

/// A story is short.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Sets a stage and plays a story on it, within a limit.
pub async fn tell(stage: impl Future<Output = Option<Stage>>, limit: Duration, play: impl AsyncFnOnce(Stage)) {
    let whole = async {
        if let Some(stage) = stage.await {
            play(stage).await;
        }
    };
    assert!(tokio::time::timeout(limit, whole).await.is_ok(), "the story took over {limit:?}");
}

/// `stories! { a, b }` plays `async fn a(stage: Stage)` on SQLite and on MariaDB, as tests `sqlite::a`, `mariadb::a`.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite { $crate::stories::stories!(@on Sqlite, $($story),+); }
        mod mariadb { $crate::stories::stories!(@on MariaDb, $($story),+); }
    };
    (@on $db:ident, $($story:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            let name = concat!(module_path!(), "::", stringify!($story));
            let stage = $crate::stage::Stage::new($crate::rows::Db::$db, name);
            $crate::stories::tell(stage, $crate::stories::LIMIT, super::$story).await;
        }
    )+};
}
pub(crate) use stories;
