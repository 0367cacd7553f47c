//! How a callback is made durable: in the database; where that does not come in time, on this host's disk.

use super::pulse::{Pulse, Standing};
use crate::app::App;
use crate::error::{Error, Kind, Result, Then};
use crate::say;
use crate::spool::{Full, Kept, Spool};
use crate::store::{Arrival, Stored};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// So long is a commit waited for before the disk is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// So long where there is no disk to ask: a server that stops still answers by then.
const ALONE: Duration = Duration::from_secs(4);
/// So long is a database tried that is known to be away, where the spool takes nothing either.
const LAST_TRY: Duration = Duration::from_millis(900);

/// Where callbacks go.
#[derive(Clone)]
pub(super) struct Keeping {
    pub app: Arc<App>,
    pub pulse: Pulse,
    /// `None` where it is switched off.
    pub spool: Option<Spool>,
}

impl Keeping {
    /// Makes it durable in the one or the other. An error: in neither.
    pub async fn keep(&self, arrival: Arrival) -> Result<Stored> {
        let arrival = Arc::new(arrival);
        let Some(spool) = &self.spool else {
            let stored = tokio::time::timeout(ALONE, self.app.store.arrive(arrival)).await;
            let late = || Error::unavailable(say!("no commit within 4 s"; "4 秒内没有完成提交"));
            return stored.unwrap_or_else(|_| Err(late())).inspect_err(|error| self.note(error));
        };
        if self.pulse.standing() != Standing::Well {
            return match self.spool(spool, &arrival).await {
                Ok(kept) => Ok(kept),
                Err(full) => self.try_once_more(arrival, &full).await,
            };
        }
        let mut commit = pin!(self.app.store.arrive(arrival.clone()));
        match tokio::time::timeout(PATIENCE, &mut commit).await {
            Ok(Ok(stored)) => return Ok(stored),
            Ok(Err(error)) => return self.instead(spool, &arrival, error).await,
            Err(_) => self.pulse.away("no commit within 2 s"),
        }
        // Whichever comes first: a row that is in both is one row in the end.
        let mut kept = pin!(self.spool(spool, &arrival));
        tokio::select! {
            stored = &mut commit => match stored {
                Ok(stored) => Ok(stored),
                Err(error) => kept.await.map_err(|full| unkept(&error, &full)),
            },
            kept = &mut kept => match kept {
                Ok(kept) => Ok(kept),
                Err(_) => commit.await,
            },
        }
    }

    /// The database has said no.
    async fn instead(&self, spool: &Spool, arrival: &Arrival, error: Error) -> Result<Stored> {
        if error.then == Then::Never {
            return Err(error);
        }
        self.note(&error);
        self.spool(spool, arrival).await.map_err(|full| unkept(&error, &full))
    }

    async fn try_once_more(&self, arrival: Arc<Arrival>, full: &Full) -> Result<Stored> {
        match tokio::time::timeout(LAST_TRY, self.app.store.arrive(arrival)).await {
            Ok(stored) => stored,
            Err(_) => {
                let away = self.pulse.ill().unwrap_or_default();
                Err(unkept(&Error::unavailable(say!("{away}"; "{away}")), full))
            }
        }
    }

    async fn spool(&self, spool: &Spool, arrival: &Arrival) -> std::result::Result<Stored, Full> {
        Ok(match spool.keep(arrival).await? {
            Kept::New => {
                self.app.metrics.spool_events.with_label_values(&["spooled"]).inc();
                Stored::Spooled
            }
            Kept::Again => Stored::Duplicate,
        })
    }

    fn note(&self, error: &Error) {
        if error.then != Then::Never {
            self.pulse.away(&error.to_string());
        }
    }
}

fn unkept(error: &Error, Full(full): &Full) -> Error {
    let (en, zh) = (&error.what.en, &error.what.zh);
    Error::new(Kind::Unavailable, say!("{en}; the spool: {full}"; "{zh}；暂存：{full}"))
}
