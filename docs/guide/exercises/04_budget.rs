//! Chapter 4, exercise 2, difficulty 2: a line with a budget.
//!
//! Resume the tasks that stood in the line when phase 6 began, first come first served, `most` of them at most. `resume` is given a task
//! and the line: it may put tasks at its end, also the one that it has been given. They wait for the next turn. Those that the budget leaves over
//! stay in front of them.
//!
//! Returns how many were resumed.

use std::collections::VecDeque;

/// Phase 6.
pub fn resume_tasks(
    line: &mut VecDeque<u32>,
    most: usize,
    mut resume: impl FnMut(u32, &mut VecDeque<u32>),
) -> usize {
    let mut count = 0;
    while let Some(task) = line.pop_front() {
        resume(task, line);
        count += 1;
    }
    count
}
