//! `wxops locations near`.

use crate::app::App;
use crate::cache::{INNER, Near, Nearest};
use crate::commands::{Context, accounts, time_json, time_local};
use crate::domain::geo::{self, Place};
use crate::error::{Error, Result};
use crate::report::{Column, Row};
use crate::say;
use serde_json::{Value, json};

/// List who was last within a radius of a place, nearest first
///
/// A position is known from LOCATION events and kept for two months
/// (WXOPS_LOCATION_KEEP). Redis answers where REDIS_URL is set and it is well,
/// else the database: the same people.
#[derive(Debug, clap::Args)]
#[command(name = "near", before_help = "Example:\n  wxops locations near 23.1345,113.3588 --radius 2km --json")]
pub struct NearBy {
    /// The place in degrees: latitude first, then longitude
    #[arg(value_name = "LAT,LON", allow_hyphen_values = true, value_parser = place)]
    place: Place,
    /// How far away at the most: 500m, 2km; 500km at the most
    #[arg(long, value_name = "LENGTH", value_parser = geo::metres)]
    radius: f64,
    /// At most so many people of an account
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// It may begin with a minus, but not look like a flag.
fn place(text: &str) -> Result<Place> {
    match text.starts_with("--") {
        true => Err(Error::usage(say!("not a place"; "不是位置"))),
        false => geo::place(text),
    }
}

const COLUMNS: &[Column] = &[
    Column("ACCOUNT", "账号"),
    Column("OPENID", "OPENID"),
    Column("DISTANCE", "距离"),
    Column("AT", "时间"),
    Column("LATITUDE", "纬度"),
    Column("LONGITUDE", "经度"),
];

impl NearBy {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut found = Vec::new();
        for account in accounts(&app.config)? {
            found.extend(self.of(&app, &account.name).await?);
        }
        let mut list = context.out.list(COLUMNS);
        found.iter().try_for_each(|near| list.row(near))?;
        list.end().map(drop)
    }

    async fn of(&self, app: &App, account: &str) -> Result<Vec<Near>> {
        let now_ms = app.now_ms();
        if let Some(cache) = &app.cache {
            match cache.near(account, self.place, self.radius, self.limit, now_ms).await {
                Ok(Some(found)) => {
                    tracing::info!(account, "answered by Redis");
                    return Ok(found);
                }
                Ok(None) => tracing::info!(account, "answered by the database: Redis can't know all of them"),
                Err(error) => tracing::warn!(%error, account, "answered by the database: Redis can't be asked"),
            }
        }
        let mut found = Vec::new();
        for radius in [self.radius / INNER, self.radius] {
            let mut nearest = Nearest::new(self.place, self.limit);
            app.store.locations_near(account, self.place, radius, now_ms, |one| nearest.take(one)).await?;
            found = nearest.into_sorted();
            if found.len() == self.limit {
                break;
            }
        }
        Ok(found)
    }
}

impl Row for Near {
    fn json(&self) -> Value {
        let one = &self.position;
        json!({
            "account": one.account,
            "openid": one.openid,
            "metres": (self.metres * 10.0).round() / 10.0,
            "latitude": one.place.latitude,
            "longitude": one.place.longitude,
            "precision": one.precision,
            "at": time_json(one.at.timestamp_millis()),
            "expires_at": time_json(one.expires_at),
        })
    }

    fn cells(&self) -> Vec<String> {
        let one = &self.position;
        let distance = match self.metres {
            far if far >= 10_000.0 => format!("{:.1} km", far / 1_000.0),
            near => format!("{near:.0} m"),
        };
        vec![
            one.account.clone(),
            one.openid.clone(),
            distance,
            time_local(one.at.timestamp_millis()),
            format!("{:.6}", one.place.latitude),
            format!("{:.6}", one.place.longitude),
        ]
    }
}
