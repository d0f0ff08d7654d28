//! Chapter 9.

use super::super::pause::pause as after;
use super::super::unblock::{Happened, Next, Said, Unblock};
use super::super::wait_ends::{Tasks, Why};
use greenroom::ms;
use greenroom::sim::Random;

pub fn pause() {
    let pauses: Vec<_> = (0..9).map(after).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64].map(ms));
    assert_eq!([64, u32::MAX].map(after), [ms(64); 2]);
}

pub fn wait_ends() {
    let mut tasks = Tasks::new(3);
    tasks.wait(0, 7, Some(70));
    tasks.wait(1, 8, None);
    assert_eq!(tasks.wake(0, Why::Event(7)), Some(70), "to be disarmed");
    assert_eq!(tasks.wake(0, Why::Deadline), None);
    assert_eq!(tasks.wake(0, Why::Notified), None);
    assert_eq!(tasks.wake(1, Why::Event(7)), None, "it waits for another");
    assert_eq!(tasks.wake(1, Why::Notified), None, "it has no timer");
    assert_eq!(tasks.resume(), Some((0, Why::Event(7))));
    assert_eq!(tasks.resume(), Some((1, Why::Notified)));
    assert_eq!(tasks.resume(), None, "each of them once");

    tasks.wait(0, 9, Some(90));
    assert_eq!(
        tasks.wake(0, Why::Event(7)),
        None,
        "late, for the last wait"
    );
    assert_eq!(tasks.resume(), None);
    assert_eq!(tasks.wake(0, Why::Deadline), None, "that timer has fired");
    assert_eq!(tasks.wake(0, Why::Event(9)), None);
    assert_eq!(tasks.resume(), Some((0, Why::Deadline)));

    // Task 2 runs all the time.
    for why in [Why::Event(5), Why::Deadline, Why::Notified, Why::Notified] {
        assert_eq!(tasks.wake(2, why), None);
    }
    assert_eq!(tasks.resume(), None, "who runs is not in the line");
    tasks.wait(2, 5, None);
    assert_eq!(tasks.resume(), Some((2, Why::Notified)), "at once");
    tasks.wait(2, 5, None);
    assert_eq!(tasks.resume(), None, "and once");
}

pub fn unblock() {
    // The common case, and the one in which who is in a hurry goes wrong.
    let steps = |happened: &[Happened]| {
        let mut unblock = Unblock::default();
        let steps = happened.iter().map(|it| unblock.step(*it));
        steps.collect::<Vec<_>>()
    };
    use Happened::{Answered, Begin};
    let said = Happened::Said;
    let common = steps(&[Begin, said(Said::One), Answered]);
    assert_eq!(common, [Next::Ask, Next::Wait, Next::Free]);
    let overtaken = steps(&[Begin, Answered, said(Said::Zero)]);
    assert_eq!(overtaken, [Next::Ask, Next::Wait, Next::Free], "not before");
    let haunted = steps(&[Begin, said(Said::Lost), Answered]);
    assert_eq!(haunted, [Next::Ask, Next::Pause, Next::Close]);
    for seed in 0..5_000 {
        Stage::new(seed).play();
    }
}

/// A server with one pop, a connection for it, and a shared one for the questions. What happens next is up to chance.
struct Stage {
    seed: u64,
    random: Random,
    unblock: Unblock,
    pop: Pop,
    /// The question under way, not read by the server yet.
    asked: bool,
    /// Its answer, on its way back.
    answer: Option<Said>,
    /// A question that was lost: it may still be read.
    lost: bool,
    pauses: bool,
}

#[derive(PartialEq)]
enum Pop {
    Unread,
    Blocks,
    /// Its reply is on its way.
    Replied,
    Delivered,
}

impl Stage {
    fn new(seed: u64) -> Stage {
        Stage {
            seed,
            random: Random::new(seed),
            unblock: Unblock::default(),
            pop: Pop::Unread,
            asked: false,
            answer: None,
            lost: false,
            pauses: false,
        }
    }

    fn play(&mut self) {
        let mut next = self.unblock.step(Happened::Begin);
        for _ in 0..10_000 {
            if self.has_ended(next) {
                return;
            }
            next = Next::Wait;
            if let Some(happened) = self.happens() {
                next = self.unblock.step(happened);
            }
        }
        panic!("seed {}: it never ends", self.seed);
    }

    fn has_ended(&mut self, next: Next) -> bool {
        let seed = self.seed;
        let under_way = self.asked || self.answer.is_some();
        match next {
            Next::Wait => {}
            Next::Ask => {
                assert!(!under_way, "seed {seed}: two questions at a time");
                assert!(self.pop != Pop::Delivered, "seed {seed}: what for?");
                self.asked = true;
            }
            Next::Pause => self.pauses = true,
            Next::Free | Next::Close => {
                assert!(self.pop == Pop::Delivered, "seed {seed}: no answer yet");
                assert!(!under_way, "seed {seed}: a question is under way");
                let expected = if self.lost { Next::Close } else { Next::Free };
                assert_eq!(next, expected, "seed {seed}");
                return true;
            }
        }
        false
    }

    /// Something that can happen now, which the client may notice.
    fn happens(&mut self) -> Option<Happened> {
        match self.random.below(7) {
            0 if self.pop == Pop::Unread => self.pop = Pop::Blocks,
            1 if self.pop == Pop::Blocks && self.random.chance(0.2) => self.pop = Pop::Replied,
            2 if self.asked => {
                self.asked = false;
                let said = if self.pop == Pop::Blocks {
                    Said::One
                } else {
                    Said::Zero
                };
                if said == Said::One {
                    self.pop = Pop::Replied;
                }
                self.answer = Some(said);
            }
            3 => return self.answer.take().map(Happened::Said),
            4 if self.pop == Pop::Replied => {
                self.pop = Pop::Delivered;
                return Some(Happened::Answered);
            }
            5 if std::mem::take(&mut self.pauses) => return Some(Happened::PauseOver),
            6 if self.random.chance(0.05) && (self.asked || self.answer.is_some()) => {
                (self.asked, self.answer, self.lost) = (false, None, true);
                return Some(Happened::Said(Said::Lost));
            }
            _ => {}
        }
        None
    }
}
