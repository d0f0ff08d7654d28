//! Chapter 3, exercise 1: a key as one machine word.

use std::num::NonZeroU32;

/// The word for an index and a generation.
pub fn pack(index: u32, generation: NonZeroU32) -> u64 {
    u64::from(generation.get()) << 32 | u64::from(index)
}

/// What `pack` was given; `None` for a word that it never returns.
pub fn unpack(word: u64) -> Option<(u32, NonZeroU32)> {
    let generation = u32::try_from(word >> 32).ok()?;
    let index = u32::try_from(word & u64::from(u32::MAX)).ok()?;
    Some((index, NonZeroU32::new(generation)?))
}
