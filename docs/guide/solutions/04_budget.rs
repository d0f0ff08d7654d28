//! Chapter 4, exercise 2: a line with a budget.

use std::collections::VecDeque;

/// Phase 6.
pub fn resume_tasks(
    line: &mut VecDeque<u32>,
    most: usize,
    mut resume: impl FnMut(u32, &mut VecDeque<u32>),
) -> usize {
    // Measured before the first of them can add to it.
    let count = line.len().min(most);
    for done in 0..count {
        let Some(task) = line.pop_front() else {
            return done;
        };
        resume(task, line);
    }
    count
}
