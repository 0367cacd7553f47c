//! Where everybody stands in the list: a crowd that is computed, and spread among it openids of another
//! account, which the list holds and batchget refuses.

use super::people::Who;

/// The first places of the list. Behind them stand those who joined later.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    followers: u64,
    foreign: u64,
}

impl Crowd {
    /// So many followers, and so many foreign openids among them, at most as many as followers.
    pub fn new(followers: u64, foreign: u64) -> Self {
        Crowd { followers, foreign: foreign.min(followers) }
    }

    /// The followers of the crowd.
    pub fn followers(self) -> u64 {
        self.followers
    }

    /// The foreign openids among it.
    pub fn foreign(self) -> u64 {
        self.foreign
    }

    /// Its places.
    pub fn places(self) -> u64 {
        self.followers + self.foreign
    }

    /// Who stands at a place of the crowd.
    pub fn at(self, place: u64) -> Who {
        let Some(stride) = self.stride() else { return Who::Numbered(place) };
        let (turn, step) = (place / stride, place % stride);
        // The stranger of a turn stands in its middle.
        match turn < self.foreign {
            true if step == stride / 2 => Who::Foreign(turn),
            true => Who::Numbered(place - turn - u64::from(step > stride / 2)),
            false => Who::Numbered(place - self.foreign),
        }
    }

    /// Where a follower of the crowd or a stranger stands.
    pub fn place(self, who: &Who) -> Option<u64> {
        match (who, self.stride()) {
            (Who::Numbered(number), _) if *number >= self.followers => None,
            (Who::Numbered(number), None) => Some(*number),
            (Who::Numbered(number), Some(stride)) => {
                let (turn, step) = (number / (stride - 1), number % (stride - 1));
                let before = if turn < self.foreign { turn + u64::from(step >= stride / 2) } else { self.foreign };
                Some(number + before)
            }
            (Who::Foreign(turn), Some(stride)) if *turn < self.foreign => Some(turn * stride + stride / 2),
            _ => None,
        }
    }

    /// Places from one stranger to the next, at least two; `None` without strangers.
    fn stride(self) -> Option<u64> {
        self.places().checked_div(self.foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_one_place_and_stands_there() {
        for (followers, foreign) in [(0, 0), (1, 1), (10, 0), (10, 1), (10, 3), (10, 7), (10, 10), (1000, 13), (3, 9)] {
            let crowd = Crowd::new(followers, foreign);
            let all: Vec<Who> = (0..crowd.places()).map(|place| crowd.at(place)).collect();
            let numbers: Vec<u64> =
                all.iter().filter_map(|who| if let Who::Numbered(n) = who { Some(*n) } else { None }).collect();
            assert_eq!(numbers, (0..followers).collect::<Vec<_>>(), "{crowd:?}");
            assert_eq!(all.len() as u64 - followers, foreign.min(followers), "{crowd:?}");
            for (place, who) in all.iter().enumerate() {
                assert_eq!(crowd.place(who), Some(place as u64), "{crowd:?} {who:?}");
            }
        }
        assert_eq!(Crowd::new(3, 0).place(&Who::Numbered(3)), None);
    }
}
