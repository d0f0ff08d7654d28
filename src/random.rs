//! Numbers that look like chance and are not.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A generator of pseudo-random numbers: SplitMix64, by G. Steele, D. Lea and C. Flood, "Fast Splittable
/// Pseudorandom Number Generators" (2014). Equal seeds give equal numbers, on every machine and for ever.
///
/// ```
/// use greenroom::sim::Random;
/// let (mut one, mut other) = (Random::new(42), Random::new(42));
/// assert_eq!(one.below(6), other.below(6));
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence that belongs to a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.any()) * u128::from(limit);
        u64::try_from(product >> u64::BITS).unwrap_or_default()
    }

    /// [`below`](Random::below), for what is counted or indexed.
    pub fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap_or_default()
    }

    /// True with this probability. What cannot happen, or must, draws no number.
    pub fn chance(&mut self, probability: f64) -> bool {
        const STEPS: u64 = 1 << 32;
        match probability {
            never if never <= 0.0 => false,
            always if always >= 1.0 => true,
            #[expect(clippy::cast_precision_loss, reason = "32 bits")]
            other => (self.below(STEPS) as f64) < other * STEPS as f64,
        }
    }

    /// A duration within a range, to the nanosecond.
    pub fn duration(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let width = range.end().saturating_sub(*range.start());
        match u64::try_from(width.as_nanos()) {
            Ok(0) | Err(_) => *range.start(),
            Ok(width) => *range.start() + Duration::from_nanos(self.below(width + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ms;

    #[test]
    fn the_sequence_is_that_of_the_paper() {
        // What the reference implementation in C gives for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| random.any()), expected);
    }

    #[test]
    fn chances_are_met_as_often_as_they_say() {
        let mut random = Random::new(1);
        let met = (0..10_000).filter(|_| random.chance(0.25)).count();
        assert!((2_300..2_700).contains(&met), "{met}");
        assert!(!random.chance(0.0) && random.chance(1.0));
    }

    #[test]
    fn durations_lie_in_their_range() {
        let mut random = Random::new(2);
        let range = ms(1)..=ms(3);
        for _ in 0..1_000 {
            assert!(range.contains(&random.duration(&range)));
        }
        assert_eq!(random.duration(&(ms(2)..=ms(2))), ms(2));
    }
}
