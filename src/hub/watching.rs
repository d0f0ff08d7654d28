//! Times tasks for the watchdog, see `watchdog.rs`.

use super::Hub;
use super::watchdog::Hold;
use std::time::Duration;

impl Hub {
    /// Sets how long a task may hold the hub before it is named, with the place that spawned it; by default 100 ms. `None`
    /// names nobody, and does not read the clock. Takes effect with the next turn.
    ///
    /// What is named is logged as a warning with the target `greenroom::watchdog`, unless there is a
    /// [hook](Hub::on_hold); at most once a second, with a count of what was not told. In a turn that resumes many
    /// tasks it may be one of up to 16, and the line says so; for the next 10 s each is then looked at by itself. A
    /// limit under the resolution of the clock, such as zero, names everybody. On a [simulated](Hub::simulated) kernel
    /// tasks take no time, and nobody is ever named.
    ///
    /// ```
    /// use greenroom::{Hub, Wait, ms};
    /// use std::{cell::RefCell, rc::Rc};
    ///
    /// let mut hub = Hub::new()?;
    /// hub.set_watchdog(Some(ms(10)));
    /// let told = Rc::new(RefCell::new(Vec::new()));
    /// let hook = Rc::clone(&told);
    /// hub.on_hold(move |hold| hook.borrow_mut().push(hold.clone()));
    ///
    /// let task = hub.spawn(|_hub, _wake| {
    ///     std::thread::sleep(ms(30)); // a task must never block like this
    ///     Ok(Wait::done())
    /// });
    /// hub.join(task)?;
    /// assert_eq!(told.borrow()[0].task, Some(task));
    /// assert!(told.borrow()[0].held >= ms(30));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn set_watchdog(&mut self, limit: Option<Duration>) {
        self.watchdog.limit = limit;
    }

    /// Sets what is told when a task has held the hub for longer than the [watchdog](Hub::set_watchdog) allows, instead of
    /// the log. Takes effect at once. It is called between two tasks, and holds up the hub itself as long as it takes.
    pub fn on_hold(&mut self, hook: impl FnMut(&Hold) + 'static) {
        self.watchdog.hook = Box::new(hook);
    }

    /// A line of tasks is about to be resumed.
    pub(super) fn start_watching(&mut self) {
        if self.watchdog.start() {
            self.watchdog.read_at = self.driver.now();
        }
    }

    /// How many of them are to be resumed before the end of a batch.
    pub(super) fn next_batch(&self) -> usize {
        self.watchdog.full
    }

    /// So many have been, or the last.
    pub(super) fn end_batch(&mut self) {
        if !self.watchdog.is_watching {
            return;
        }
        let now = self.driver.now();
        if self.watchdog.end_batch(now) {
            // What the hook took is nobody's.
            self.watchdog.read_at = self.driver.now();
        }
    }
}
