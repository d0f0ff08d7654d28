//! Chapter 1, exercise 3: a thread for each.

use std::thread;

/// Something that blocks, and then has a value.
pub type Call<T> = Box<dyn FnOnce() -> T + Send>;

/// What each of the calls returns.
pub fn at_once<T: Send + 'static>(calls: Vec<Call<T>>) -> Vec<T> {
    // Collected: an iterator alone would start the second when the first is joined.
    let threads: Vec<_> = calls.into_iter().map(thread::spawn).collect();
    let joined = threads.into_iter().map(thread::JoinHandle::join);
    joined
        .map(|value| value.expect("the call has returned"))
        .collect()
}
