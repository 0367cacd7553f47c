//! One errand for all who ask the same at the same time. It goes on when those who wait for it hang up: a refresh that
//! is cut off in the middle would keep its lease from the others.

use crate::domain::token::Token;
use crate::error::{Error, Result};
use crate::say;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How an errand ended.
pub(super) type Done = Result<Token, Arc<Error>>;
type Flight = Shared<BoxFuture<'static, Done>>;

/// The errands that are under way, by what is asked.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<String, Flight>>>);

impl Flights {
    /// The errand of this name that is under way; else begins it.
    pub fn join(&self, name: String, errand: impl Future<Output = Result<Token>> + Send + 'static) -> Flight {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&name) {
            return flight.clone();
        }
        let ends = Ends { flights: self.clone(), name: name.clone() };
        let task = tokio::spawn(async move {
            let _ends = ends;
            errand.await.map_err(Arc::new)
        });
        let broken = |e| Error::failed(say!("the errand broke"; "任务异常中止")).source(e);
        let flight = async move { task.await.unwrap_or_else(|e| Err(Arc::new(broken(e)))) }.boxed().shared();
        flights.insert(name, flight.clone());
        flight
    }
}

/// Takes the errand off the list, however it ends.
struct Ends {
    flights: Flights,
    name: String,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn all_share_one_and_the_next_begins_anew() {
        let (flights, begun, go) = (Flights::default(), Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let errand = || {
            let (begun, go) = (begun.clone(), go.clone());
            async move {
                begun.fetch_add(1, SeqCst);
                go.notified().await;
                Err(Error::failed(say!("no"; "否")))
            }
        };
        let (first, second) = (flights.join("a".into(), errand()), flights.join("a".into(), errand()));
        drop(first);
        go.notify_one();
        assert_eq!(second.await.unwrap_err().what.en, "no");
        assert_eq!(begun.load(SeqCst), 1);
        go.notify_one();
        assert!(flights.join("a".into(), errand()).await.is_err());
        assert_eq!((begun.load(SeqCst), flights.0.lock().unwrap().len()), (2, 0));
    }
}
