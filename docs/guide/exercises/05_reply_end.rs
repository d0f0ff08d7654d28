//! Chapter 5, exercise 3, difficulty 2: where does a reply end?
//!
//! `bytes` begin with a reply: a line (`+`, `-`, `:`), a bulk string (`$`) or an array (`*`) of such, nested as deep as its sender
//! likes. Return how many bytes it has, or `None` when its end is not there yet. What has come is known to be right: you need not check it.
//!
//! A function that calls itself for each element is three lines, and the end of the process when a peer sends `*1\r\n` a hundred thousand
//! times. What do you have to remember, in the middle of an array of an array? Less than a stack.

/// The length of the reply that `bytes` begin with.
pub fn reply_end(bytes: &[u8]) -> Option<usize> {
    todo!("look at {} bytes", bytes.len())
}
