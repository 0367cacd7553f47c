//! Places on the globe: how far apart two are, and which cells of a grid a circle touches.

use crate::error::{Error, Result};
use crate::say;
use std::ops::RangeInclusive;

/// The radius that Redis measures with, metres, so that all answers agree.
const EARTH_M: f64 = 6_372_797.560_856;
/// Cells of the grid in a degree, and in a whole circle.
const PER_DEGREE: f64 = 20.0;
const ROUND: i64 = 7_200;
/// The longest radius, metres: who looks further wants a list.
pub const FAR_M: f64 = 500_000.0;

/// A place, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// North of the equator, -90 to 90.
    pub latitude: f64,
    /// East of Greenwich, -180 to 180.
    pub longitude: f64,
}

impl Place {
    /// A place on the globe; `None` for anything else, such as NaN.
    pub fn new(latitude: f64, longitude: f64) -> Option<Place> {
        let there = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        there.then_some(Place { latitude, longitude })
    }

    /// How far it is to another, metres along the ground (haversine).
    pub fn metres_to(&self, other: &Place) -> f64 {
        let half = |one: f64, other: f64| ((other - one).to_radians() / 2.0).sin().powi(2);
        let (here, there) = (self.latitude.to_radians().cos(), other.latitude.to_radians().cos());
        let chord = half(self.latitude, other.latitude) + here * there * half(self.longitude, other.longitude);
        2.0 * EARTH_M * chord.clamp(0.0, 1.0).sqrt().asin()
    }

    /// The cell of the grid that it is in: a twentieth of a degree each way, counted row by row from the south.
    pub fn cell(&self) -> i64 {
        row(self.latitude) * ROUND + column(self.longitude)
    }

    /// The cells that a circle of this many metres may touch, as runs of neighbours.
    pub fn cells_within(&self, metres: f64) -> Vec<RangeInclusive<i64>> {
        // A little more, so that rounding loses nobody at the edge.
        let angle = metres / EARTH_M * 1.000_001 + 1e-9;
        let (south, north) = (self.latitude - angle.to_degrees(), self.latitude + angle.to_degrees());
        let runs = self.columns_within(angle);
        (row(south)..=row(north))
            .flat_map(|row| runs.iter().map(move |run| row * ROUND + run.start()..=row * ROUND + run.end()))
            .collect()
    }

    /// The columns that a circle touches: one run, two where it crosses the date line, all where it holds a pole.
    fn columns_within(&self, angle: f64) -> Vec<RangeInclusive<i64>> {
        let reach = angle.sin() / self.latitude.to_radians().cos();
        let polar = self.latitude.abs().to_radians() + angle >= std::f64::consts::FRAC_PI_2;
        if polar || reach.is_nan() || reach >= 1.0 {
            return vec![0..=ROUND - 1];
        }
        let reach = reach.asin().to_degrees() + 1e-7;
        let (west, east) = (self.longitude - reach, self.longitude + reach);
        match (west < -180.0, east >= 180.0) {
            (false, false) => vec![column(west)..=column(east)],
            (true, _) => vec![column(west + 360.0)..=ROUND - 1, 0..=column(east)],
            (_, true) => vec![column(west)..=ROUND - 1, 0..=column(east - 360.0)],
        }
    }
}

fn row(latitude: f64) -> i64 {
    ((latitude.clamp(-90.0, 90.0) + 90.0) * PER_DEGREE).floor() as i64
}

/// 180 degrees east is 180 degrees west.
fn column(longitude: f64) -> i64 {
    (((longitude + 180.0) * PER_DEGREE).floor() as i64).rem_euclid(ROUND)
}

/// Reads `LAT,LON`, degrees; who may have written them the other way round is told so.
pub fn place(text: &str) -> Result<Place> {
    let wrong = || {
        Error::usage(say!(
            "not a place; write latitude,longitude in degrees, such as 23.1345,113.3588";
            "不是位置；应为 纬度,经度（度），例如 23.1345,113.3588"
        ))
    };
    let (latitude, longitude) = text.split_once([',', '，']).ok_or_else(wrong)?;
    let number = |text: &str| {
        let text = text.trim();
        let plain = text.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-' | b'+'));
        text.parse::<f64>().ok().filter(|_| plain).ok_or_else(wrong)
    };
    let (latitude, longitude) = (number(latitude)?, number(longitude)?);
    Place::new(latitude, longitude).ok_or_else(|| match Place::new(longitude, latitude) {
        Some(_) => Error::usage(say!(
            "a latitude is -90 to 90: latitude comes first, did you mean {longitude},{latitude}?";
            "纬度应在 -90 至 90 之间：纬度在前，是否应为 {longitude},{latitude}？"
        )),
        None => Error::usage(say!(
            "a latitude is -90 to 90, a longitude -180 to 180";
            "纬度应在 -90 至 90 之间，经度应在 -180 至 180 之间"
        )),
    })
}

/// Reads a length: a number with `m` or `km`, more than nothing and at most 500 km.
pub fn metres(text: &str) -> Result<f64> {
    let wrong = || {
        Error::usage(say!(
            "not a radius; write a number and m or km, such as 500m or 2km, 500km at the most";
            "不是半径；应为数字加 m 或 km，例如 500m 或 2km，最多 500km"
        ))
    };
    let digits = text.bytes().take_while(|c| c.is_ascii_digit() || *c == b'.').count();
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let metres = match unit {
        "m" => number,
        "km" => number * 1_000.0,
        _ => return Err(wrong()),
    };
    if metres > 0.0 && metres <= FAR_M { Ok(metres) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Nobody within the radius stands in a cell that is not looked at: also at the poles and the date line.
        #[test]
        fn a_circle_is_covered_by_its_cells(
            latitude in prop_oneof![-90.0..=90.0, Just(-90.0), Just(90.0), 84.0..=90.0],
            longitude in prop_oneof![-180.0..=180.0, Just(-180.0), Just(180.0), 179.0..=180.0],
            bearing in 0.0..std::f64::consts::TAU,
            part in prop_oneof![0.0..=1.0, Just(1.0)],
            metres in prop_oneof![1.0..=FAR_M, 1.0..=3_000.0],
        ) {
            let centre = Place::new(latitude, longitude).unwrap();
            let other = towards(&centre, bearing, metres * part);
            prop_assume!(centre.metres_to(&other) <= metres);
            let cells = centre.cells_within(metres);
            prop_assert!(cells.iter().any(|run| run.contains(&other.cell())), "{other:?} {}", other.cell());
        }
    }

    /// Where one comes who goes so far from here.
    fn towards(from: &Place, bearing: f64, metres: f64) -> Place {
        let (angle, at) = (metres / EARTH_M, from.latitude.to_radians());
        let to = (at.sin() * angle.cos() + at.cos() * angle.sin() * bearing.cos()).clamp(-1.0, 1.0).asin();
        let turn = (bearing.sin() * angle.sin() * at.cos()).atan2(angle.cos() - at.sin() * to.sin());
        let longitude = (from.longitude + turn.to_degrees() + 540.0).rem_euclid(360.0) - 180.0;
        Place::new(to.to_degrees(), longitude).unwrap()
    }

    #[test]
    fn distances_are_those_on_the_ground() {
        let (canton, tower) = (place("23.134521,113.358803").unwrap(), place("23.106574,113.324587").unwrap());
        let metres = canton.metres_to(&tower);
        assert!((4_670.0..4_690.0).contains(&metres), "{metres}");
        let (east, west) = (place("0,179.999").unwrap(), place("0,-179.999").unwrap());
        assert!((222.0..223.0).contains(&east.metres_to(&west)));
    }

    #[test]
    fn places_and_lengths_are_read_and_slips_named() {
        assert_eq!(place(" 23.1 , -113.3 ").unwrap(), Place { latitude: 23.1, longitude: -113.3 });
        let swapped = place("113.3588,23.1345").unwrap_err().to_string();
        assert!(swapped.contains("23.1345,113.3588"), "{swapped}");
        for wrong in ["", "23", "23,", "NaN,1", "inf,1", "1e1,2", "91,181", "23;113", "1,2,3"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (metres("500m").unwrap(), metres("1.5km").unwrap(), metres("500km").unwrap()),
            (500.0, 1_500.0, FAR_M)
        );
        for wrong in ["", "2", "km", "0m", "-1km", "501km", "2 km", "1.2.3m", "2mi"] {
            assert!(metres(wrong).is_err(), "{wrong}");
        }
    }
}
