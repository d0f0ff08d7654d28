//! A picture of the waiting: what a hub did, as a page to look at and as a trace for other tools.
//!
//! A program of this kind does next to nothing, and that is the point of it; but nothing is hard to see. A [`Timeline`] is an
//! [observer](crate::observe) that takes down, for every connection, when it was dialed, said its handshake, got a command, was answered and
//! was idle; for every cron task, when it was due and when it ran; and for every turn, how long the hub slept and how long it worked. From
//! that it writes a page with a lane for each ([`write_html`](Timeline::write_html)), or a trace in the Trace Event Format
//! ([`write_trace`](Timeline::write_trace)), which Perfetto and `chrome://tracing` open.
//!
//! ```
//! use greenroom::{Hub, ms};
//! use greenroom::timeline::Timeline;
//!
//! let mut hub = Hub::new()?;
//! let timeline = Timeline::new();
//! hub.observe(timeline.recorder());
//! hub.sleep(ms(2))?;
//!
//! let mut page = Vec::new();
//! timeline.write_html(&mut page)?;
//! assert!(page.starts_with(b"<!doctype html>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Memory has a limit.** A mark takes 32 bytes: a blocking pop makes seven, a turn one. When the limit is reached, the first half is kept,
//! and of what follows the latest: how something began and how it ended is what people look for. What lies between is
//! dropped, and page and trace say so, with how much it was. The figures at the top of the page count everything.
//!
//! **The page needs nothing but a browser**: styles, program and data are in it, and it loads nothing. Its parts are files of their own, in
//! `src/timeline/page/`, to be read.
//!
//! | file | what it has |
//! |---|---|
//! | `mod.rs` | [`Timeline`], for programs |
//! | `marks.rs` | what is kept of a run, and its limit |
//! | `record.rs` | events become marks |
//! | `lanes.rs` | marks become lanes |
//! | `page.rs` | lanes become a page |
//! | `trace.rs` | lanes become a trace |
//! | `json.rs` | JSON, as far as it is needed |

mod json;
mod lanes;
mod marks;
mod page;
mod record;
mod trace;

use self::marks::Marks;
use crate::observe::Observer;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

/// How many marks a timeline keeps unless told otherwise: 12.8 MB when all are there, enough for 50,000 pops.
pub const MARKS_MAX: usize = 400_000;

/// A record of what a hub did, see the [module](self). Clones share one record.
#[derive(Clone)]
pub struct Timeline {
    marks: Rc<RefCell<Marks>>,
}

impl Timeline {
    /// An empty record of at most [`MARKS_MAX`] marks.
    pub fn new() -> Timeline {
        Timeline::with_limit(MARKS_MAX)
    }

    /// An empty record of at most so many marks of 32 bytes. Fewer than 16 count as 16.
    pub fn with_limit(marks: usize) -> Timeline {
        Timeline {
            marks: Rc::new(RefCell::new(Marks::new(marks.max(16)))),
        }
    }

    /// What a hub is to be [observed](crate::Hub::observe) by. Takes down what happens from then on.
    pub fn recorder(&self) -> impl Observer + use<> {
        record::Recorder::new(Rc::clone(&self.marks))
    }

    /// Sets what the page is called; by default `greenroom`. It may hold any text.
    pub fn set_title(&self, title: &str) {
        title.clone_into(&mut self.marks.borrow_mut().title);
    }

    /// How many marks are kept.
    pub fn len(&self) -> usize {
        self.marks.borrow().len()
    }

    /// Whether nothing was taken down yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many marks were dropped from the middle, because there were more than the limit.
    pub fn dropped(&self) -> u64 {
        self.marks.borrow().dropped()
    }

    /// Writes a page that shows all that was taken down so far: HTML in UTF-8, complete in itself. About 100 bytes for each pop, and
    /// 30 KiB.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_html(&self, out: &mut impl Write) -> io::Result<()> {
        page::write(&self.marks.borrow(), out)
    }

    /// Writes a trace in the Trace Event Format: one JSON object, times in microseconds from the beginning. Turns, cron tasks and
    /// connections are threads of one process; ticks are instants; commands in flight and idle connections are counters.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_trace(&self, out: &mut impl Write) -> io::Result<()> {
        trace::write(&self.marks.borrow(), out)
    }
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline::new()
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("marks", &self.len())
            .field("dropped", &self.dropped())
            .finish()
    }
}
