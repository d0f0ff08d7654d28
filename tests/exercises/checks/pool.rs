//! Chapter 7.

use super::super::lane::needs_its_own;
use super::super::pacing::Pacing;
use super::super::pool::{Pool, Stats};
use greenroom::sim::Random;
use std::collections::VecDeque;

pub fn lane() {
    let own = |command: &str| {
        let words: Vec<_> = command.split_whitespace().map(str::as_bytes).collect();
        needs_its_own(&words)
    };
    for command in [
        "BRPOP list 1",
        "brpop list 1",
        "BzPopMin set 0",
        "WAIT 1 0",
        "XREAD BLOCK 5000 STREAMS s $",
        "xreadgroup GROUP g c COUNT 2 block 0 STREAMS s >",
    ] {
        assert!(own(command), "{command}");
    }
    for command in [
        "GET key",
        "RPOP list",
        "BRPOPX list",
        "XREAD COUNT 2 STREAMS s 0",
        "XREAD COUNT 2 STREAMS blocks 0",
        "SET BRPOP BLOCK",
        "",
    ] {
        assert!(!own(command), "{command}");
    }
}

pub fn pool() {
    let mut pool = Pool::new(3);
    let stats = |pool: &Pool| {
        let Stats {
            created,
            in_use,
            available,
        } = pool.stats();
        assert_eq!(created, in_use + available);
        (in_use, available)
    };
    assert_eq!(
        [10, 11, 12].map(|request| pool.ask(request)),
        [0, 1, 2].map(Some)
    );
    assert_eq!(pool.ask(13), None, "there are three already");
    assert_eq!([14, 15].map(|request| pool.ask(request)), [None; 2]);
    assert_eq!(stats(&pool), (3, 0));
    assert!(pool.give_up(14));
    assert!(!pool.give_up(14) && !pool.give_up(10), "they do not wait");
    assert_eq!(pool.give_back(1), Some(13), "first come, first served");
    assert_eq!(pool.give_back(0), Some(15), "14 has given up");
    assert_eq!(stats(&pool), (3, 0));
    assert_eq!([0, 2, 1].map(|conn| pool.give_back(conn)), [None; 3]);
    assert_eq!(stats(&pool), (0, 3));
    assert_eq!(pool.ask(16), Some(1), "the one that was used last");
    assert_eq!(pool.ask(17), Some(2));
    assert_eq!(stats(&pool), (2, 1));
    let mut one = Pool::new(0);
    assert_eq!(one.ask(1), Some(0), "at least one");
    assert_eq!(one.ask(2), None);
}

pub fn pacing() {
    let mut pacing = Pacing::new(4);
    for number in 1..=4 {
        assert!(pacing.may_dial());
        assert_eq!(pacing.dial(), number);
    }
    assert!(!pacing.may_dial(), "the backlog may be full");
    pacing.hear(3);
    for _ in 0..3 {
        assert!(pacing.may_dial(), "all up to 3 were accepted");
        pacing.dial();
    }
    assert!(!pacing.may_dial());
    pacing.hear(1);
    assert!(!pacing.may_dial(), "that was known already");

    const DIALS: u64 = 10_000;
    for window in [1, 2, 4, 100, 256] {
        let mut random = Random::new(window);
        let mut pacing = Pacing::new(window);
        let (mut backlog, mut dialed, mut pings) = (VecDeque::new(), 0, 0);
        while dialed < DIALS {
            while pacing.may_dial() && dialed < DIALS {
                dialed = pacing.dial();
                backlog.push_back(dialed);
                assert!(backlog.len() as u64 <= window, "a SYN of {window} is lost");
            }
            assert!(!backlog.is_empty(), "a window of {window} stands still");
            for _ in 0..1 + random.below(backlog.len() as u64) {
                let number = backlog.pop_front().unwrap();
                if pacing.must_answer(number) {
                    pings += 1;
                    pacing.hear(number);
                }
            }
        }
        let most = DIALS / (window / 4).max(1) + 1;
        assert!(pings <= most, "{pings} pings for a window of {window}");
    }
}
