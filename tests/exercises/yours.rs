//! `docs/guide/exercises/`, as you have left it.
#![allow(
    unused,
    clippy::all,
    reason = "begun and not finished: that is what it is for"
)]

/// A test of each that waits to be asked for.
macro_rules! tests {
    ($($chapter:ident: $($name:ident),+;)+) => {
        pub const ALL: &[(&str, fn())] = &[$($((stringify!($name), $name as fn())),+),+];
        $($(
            #[test]
            #[ignore = "yours to solve"]
            fn $name() {
                checks::$chapter::$name();
            }
        )+)+
    };
}
every_exercise!(tests);

#[path = "../../docs/guide/exercises/10_agenda.rs"]
mod agenda;
#[path = "../../docs/guide/exercises/01_at_once.rs"]
mod at_once;
#[path = "../../docs/guide/exercises/08_beat.rs"]
mod beat;
#[path = "../../docs/guide/exercises/04_budget.rs"]
mod budget;
#[path = "../../docs/guide/exercises/05_bulk.rs"]
mod bulk;
#[path = "../../docs/guide/exercises/06_cascade.rs"]
mod cascade;
#[path = "../../docs/guide/exercises/12_catch_up.rs"]
mod catch_up;
#[path = "checks/mod.rs"]
mod checks;
#[path = "../../docs/guide/exercises/10_cut.rs"]
mod cut;
#[path = "../../docs/guide/exercises/04_doubling.rs"]
mod doubling;
#[path = "../../docs/guide/exercises/02_drain.rs"]
mod drain;
#[path = "../../docs/guide/exercises/08_drift.rs"]
mod drift;
#[path = "../../docs/guide/exercises/06_heap.rs"]
mod heap;
#[path = "../../docs/guide/exercises/07_lane.rs"]
mod lane;
#[path = "../../docs/guide/exercises/02_level.rs"]
mod level;
#[path = "../../docs/guide/exercises/05_lines.rs"]
mod lines;
#[path = "../../docs/guide/exercises/12_llen.rs"]
mod llen;
#[path = "../../docs/guide/exercises/12_mover.rs"]
mod mover;
#[path = "../../docs/guide/exercises/08_next_due.rs"]
mod next_due;
#[path = "../../docs/guide/exercises/11_omission.rs"]
mod omission;
#[path = "../../docs/guide/exercises/02_outbox.rs"]
mod outbox;
#[path = "../../docs/guide/exercises/07_pacing.rs"]
mod pacing;
#[path = "../../docs/guide/exercises/03_packed.rs"]
mod packed;
#[path = "../../docs/guide/exercises/09_pause.rs"]
mod pause;
#[path = "../../docs/guide/exercises/11_percentile.rs"]
mod percentile;
#[path = "../../docs/guide/exercises/06_place.rs"]
mod place;
#[path = "../../docs/guide/exercises/04_poll_timeout.rs"]
mod poll_timeout;
#[path = "../../docs/guide/exercises/07_pool.rs"]
mod pool;
#[path = "../../docs/guide/exercises/01_read_fully.rs"]
mod read_fully;
#[path = "../../docs/guide/exercises/03_reap.rs"]
mod reap;
#[path = "../../docs/guide/exercises/10_replay.rs"]
mod replay;
#[path = "../../docs/guide/exercises/05_reply_end.rs"]
mod reply_end;
#[path = "../../docs/guide/exercises/01_request.rs"]
mod request;
#[path = "../../docs/guide/exercises/11_slope.rs"]
mod slope;
#[path = "../../docs/guide/exercises/03_slots.rs"]
mod slots;
#[path = "../../docs/guide/exercises/09_unblock.rs"]
mod unblock;
#[path = "../../docs/guide/exercises/09_wait_ends.rs"]
mod wait_ends;
