//! Chapter 10.

use super::super::agenda::{Agenda, Stuck};
use super::super::cut::{PIECES_MAX, cut as pieces};
use super::super::replay::{ELEMENTS, replay as run};
use greenroom::sim::Random;
use std::collections::BTreeSet;

pub fn cut() {
    let bytes = b"$3\r\nfoo\r\n:1";
    let (mut places, mut counts) = (BTreeSet::new(), BTreeSet::new());
    let (mut cuts, mut in_line_ends) = (0, 0);
    for seed in 0..4_000 {
        let cut = pieces(bytes, &mut Random::new(seed));
        assert_eq!(cut, pieces(bytes, &mut Random::new(seed)), "seed {seed}");
        assert_eq!(cut.concat(), bytes, "seed {seed}");
        assert!(cut.iter().all(|piece| !piece.is_empty()), "seed {seed}");
        counts.insert(cut.len());
        let mut at = 0;
        for piece in &cut[..cut.len() - 1] {
            at += piece.len();
            places.insert(at);
            cuts += 1;
            in_line_ends += u32::from(matches!(at, 3 | 8));
        }
    }
    assert_eq!(counts, (1..=PIECES_MAX).collect(), "numbers of pieces");
    assert_eq!(places, (1..bytes.len()).collect(), "places");
    assert!(4 * in_line_ends >= cuts, "{in_line_ends} of {cuts}");
    let mut random = Random::new(1);
    assert!(pieces(b"", &mut random).is_empty());
    for _ in 0..100 {
        assert_eq!(pieces(b"x", &mut random), [b"x"]);
    }
}

pub fn agenda() {
    let mut agenda = Agenda::new();
    assert_eq!(agenda.poll(None), Err(Stuck));
    assert_eq!((agenda.poll(Some(5)), agenda.now()), (Ok(None), 5));
    for (at, what) in [(30, "e"), (10, "a"), (20, "b"), (20, "c"), (20, "d")] {
        agenda.plan(at, what);
    }
    assert_eq!((agenda.poll(Some(4)), agenda.now()), (Ok(None), 9));
    assert_eq!((agenda.poll(Some(1)), agenda.now()), (Ok(Some("a")), 10));
    for expected in ["b", "c", "d"] {
        let polled = agenda.poll(Some(100));
        assert_eq!((polled, agenda.now()), (Ok(Some(expected)), 20));
    }
    agenda.plan(3, "past");
    assert_eq!((agenda.poll(Some(0)), agenda.now()), (Ok(Some("past")), 20));
    assert_eq!((agenda.poll(Some(0)), agenda.now()), (Ok(None), 20));
    assert_eq!((agenda.poll(None), agenda.now()), (Ok(Some("e")), 30));
    assert_eq!(agenda.poll(None), Err(Stuck));
}

pub fn replay() {
    let mut traces = BTreeSet::new();
    for seed in 0..20 {
        let first = run(seed).unwrap();
        assert_eq!(run(seed).unwrap(), first, "the same seed");
        traces.insert(first.trace_hash);
        let mut popped: Vec<usize> = first.popped.iter().map(|it| it.parse().unwrap()).collect();
        popped.sort_unstable();
        let all: Vec<_> = (0..ELEMENTS).collect();
        assert_eq!(popped, all, "seed {seed}: each element once");
    }
    assert_eq!(traces.len(), 20, "other seeds are other runs");
}
