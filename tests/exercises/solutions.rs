//! `docs/guide/solutions/`: they pass.

/// A test of each.
macro_rules! tests {
    ($($chapter:ident: $($name:ident),+;)+) => {$($(
        #[test]
        fn $name() {
            checks::$chapter::$name();
        }
    )+)+};
}
every_exercise!(tests);

#[path = "../../docs/guide/solutions/10_agenda.rs"]
mod agenda;
#[path = "../../docs/guide/solutions/01_at_once.rs"]
mod at_once;
#[path = "../../docs/guide/solutions/08_beat.rs"]
mod beat;
#[path = "../../docs/guide/solutions/04_budget.rs"]
mod budget;
#[path = "../../docs/guide/solutions/05_bulk.rs"]
mod bulk;
#[path = "../../docs/guide/solutions/06_cascade.rs"]
mod cascade;
#[path = "../../docs/guide/solutions/12_catch_up.rs"]
mod catch_up;
#[expect(
    clippy::duplicate_mod,
    reason = "the same checks for yours and for the solutions"
)]
#[path = "checks/mod.rs"]
mod checks;
#[path = "../../docs/guide/solutions/10_cut.rs"]
mod cut;
#[path = "../../docs/guide/solutions/04_doubling.rs"]
mod doubling;
#[path = "../../docs/guide/solutions/02_drain.rs"]
mod drain;
#[path = "../../docs/guide/solutions/08_drift.rs"]
mod drift;
#[path = "../../docs/guide/solutions/06_heap.rs"]
mod heap;
#[path = "../../docs/guide/solutions/07_lane.rs"]
mod lane;
#[path = "../../docs/guide/solutions/02_level.rs"]
mod level;
#[path = "../../docs/guide/solutions/05_lines.rs"]
mod lines;
#[path = "../../docs/guide/solutions/12_llen.rs"]
mod llen;
#[path = "../../docs/guide/solutions/12_mover.rs"]
mod mover;
#[path = "../../docs/guide/solutions/08_next_due.rs"]
mod next_due;
#[path = "../../docs/guide/solutions/11_omission.rs"]
mod omission;
#[path = "../../docs/guide/solutions/02_outbox.rs"]
mod outbox;
#[path = "../../docs/guide/solutions/07_pacing.rs"]
mod pacing;
#[path = "../../docs/guide/solutions/03_packed.rs"]
mod packed;
#[path = "../../docs/guide/solutions/09_pause.rs"]
mod pause;
#[path = "../../docs/guide/solutions/11_percentile.rs"]
mod percentile;
#[path = "../../docs/guide/solutions/06_place.rs"]
mod place;
#[path = "../../docs/guide/solutions/04_poll_timeout.rs"]
mod poll_timeout;
#[path = "../../docs/guide/solutions/07_pool.rs"]
mod pool;
#[path = "../../docs/guide/solutions/01_read_fully.rs"]
mod read_fully;
#[path = "../../docs/guide/solutions/03_reap.rs"]
mod reap;
#[path = "../../docs/guide/solutions/10_replay.rs"]
mod replay;
#[path = "../../docs/guide/solutions/05_reply_end.rs"]
mod reply_end;
#[path = "../../docs/guide/solutions/01_request.rs"]
mod request;
#[path = "../../docs/guide/solutions/11_slope.rs"]
mod slope;
#[path = "../../docs/guide/solutions/03_slots.rs"]
mod slots;
#[path = "../../docs/guide/solutions/09_unblock.rs"]
mod unblock;
#[path = "../../docs/guide/solutions/09_wait_ends.rs"]
mod wait_ends;
