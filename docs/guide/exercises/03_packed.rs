//! Chapter 3, exercise 1, difficulty 1: a key as one machine word.
//!
//! The upper half of the word is the generation, the lower half the index. A generation is never 0; so a word with 0 in its upper
//! half never was a key, and `unpack` refuses it.

use std::num::NonZeroU32;

/// The word for an index and a generation.
pub fn pack(index: u32, generation: NonZeroU32) -> u64 {
    u64::from(index) + u64::from(generation.get())
}

/// What `pack` was given; `None` for a word that it never returns.
pub fn unpack(word: u64) -> Option<(u32, NonZeroU32)> {
    todo!("take {word} apart")
}
