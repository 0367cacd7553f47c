//! Randomness that a seed fixes: the same seed gives the same people, faults and order.

/// One step of SplitMix64: mixes a number so that neighbours look unrelated.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for a text under a seed; the same text gives the same number for ever.
pub fn of_text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed), |state, byte| mix(state ^ u64::from(byte)))
}

/// A stream of numbers that begins at a seed.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Noise(mix(seed))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }

    /// The next number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw().checked_rem(end).unwrap_or(0)
    }

    /// Whether a thing of this rate (0 to 1) happens this time.
    pub fn happens(&mut self, rate: f64) -> bool {
        ((self.draw() >> 11) as f64) / ((1u64 << 53) as f64) < rate
    }

    /// A word of `length` letters of an ASCII alphabet.
    pub fn word(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len() as u64) as usize])).collect()
    }
}
