//! A queue: producers, consumers that are killed at random moments, and accounts that must come out even.
//!
//! Every element is pushed once, with a number of its own. In the end it was delivered, or it is still in the list, or somebody was
//! told that he cannot know: the producer whose push failed after it had been sent, or the pool, which counts the pops that
//! ended with their connections and may have taken an element along. An element that is missing beyond that is lost: a
//! consumer that is killed, or whose deadline passes, loses nothing.

use super::Verdict;
use super::world::{self, World, is_unknown};
use greenroom::sim::{Faults, Random};
use greenroom::{
    Error, ErrorKind, Hub, Redis, Result, Task, TaskId, Timeout, Wait, Wake, ms, secs,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// What is known of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It was asked and not answered yet.
    Asked,
    /// The server has it.
    Yes,
    /// The server never got it.
    No,
    /// It may have.
    Unknown,
}

/// The accounts.
#[derive(Default)]
pub struct Books {
    pushed: BTreeMap<u64, Pushed>,
    delivered: BTreeMap<u64, u32>,
    /// Pops that may have taken an element along, and those of which a consumer was told so.
    unknown_pops: usize,
    told_unknown: usize,
    early: Option<(Duration, Duration)>,
    /// A refusal that a pop without a timeout should have outlasted.
    refused: Option<String>,
}

pub type Shared = Rc<RefCell<Books>>;

pub fn scenario(world: &mut World) -> Verdict {
    play(world, &world::all_faults())
}

/// Plays the scenario with all faults, pauses of writes and role changes included.
pub fn with_server_faults(world: &mut World) -> Verdict {
    play(world, &Faults::names().collect::<Vec<_>>())
}

fn play(world: &mut World, faults: &[&str]) -> Verdict {
    world.some_faults(faults);
    world.some_strikes(secs(3));
    world.some_holds();
    let (redis, books) = (world.redis, Shared::default());
    let (hub, random) = (&mut world.hub, &mut world.random);
    let producers: Vec<_> = (0..1 + random.below(3))
        .map(|number| {
            let count = random.below(60);
            produce(hub, redis, random, &books, number * 1_000_000, count)
        })
        .collect();
    let mut consumers: Vec<_> = (0..1 + random.below(12))
        .map(|_| consume(hub, redis, random, &books))
        .collect();
    for _ in 0..world.random.below(12) {
        let time = world.some_time(Duration::ZERO, ms(300));
        world.sleep(time);
        let (hub, random) = (&mut world.hub, &mut world.random);
        let victim = random.index(consumers.len());
        hub.kill(consumers[victim]);
        consumers[victim] = consume(hub, redis, random, &books);
    }
    for producer in producers {
        world.patiently(Wait::join(producer))?;
    }
    world.calm();
    for consumer in consumers {
        world.hub.kill(consumer);
        world.patiently(Wait::join(consumer))?;
    }
    world.drain()?;
    world.check_server()?;
    let left = what_is_left(world)?;
    books
        .borrow_mut()
        .count_unknown(world.redis.stats(&world.hub).indeterminate);
    settle(&books.borrow(), &left)
}

/// Pushes so many elements, one after the other.
pub fn produce(
    hub: &mut Hub,
    redis: Redis,
    random: &mut Random,
    books: &Shared,
    first: u64,
    count: u64,
) -> TaskId {
    let pause = random.duration(&(Duration::ZERO..=ms(40)));
    let books = Rc::clone(books);
    let mut next = first;
    hub.spawn(move |hub, wake| {
        let pushed = match wake {
            Wake::Start | Wake::Elapsed => None,
            Wake::Reply(Ok(_)) => Some(Pushed::Yes),
            Wake::Reply(Err(error)) if is_unknown(&error) => Some(Pushed::Unknown),
            Wake::Reply(Err(_)) => Some(Pushed::No),
            other => return Err(other.unexpected()),
        };
        let mut books = books.borrow_mut();
        if let Some(pushed) = pushed {
            books.pushed.insert(next, pushed);
            next += 1;
            return Ok(Wait::sleep(pause));
        }
        if next == first + count {
            return Ok(Wait::done());
        }
        books.pushed.insert(next, Pushed::Asked);
        redis.lpush(hub, "queue", next)
    })
}

/// Pops for ever.
pub fn consume(hub: &mut Hub, redis: Redis, random: &mut Random, books: &Shared) -> TaskId {
    let timeout = match random.below(4) {
        0 => Timeout::Forever,
        _ => Timeout::After(random.duration(&(ms(1)..=ms(500)))),
    };
    let rest = random.duration(&(ms(1)..=ms(50)));
    let deadline = random
        .chance(0.3)
        .then(|| random.duration(&(ms(1)..=ms(50))));
    hub.spawn_task(Consumer {
        redis,
        books: Rc::clone(books),
        timeout,
        rest,
        deadline,
    })
}

struct Consumer {
    redis: Redis,
    books: Shared,
    timeout: Timeout,
    rest: Duration,
    /// How long it waits at most, whatever it has asked.
    deadline: Option<Duration>,
}

impl Consumer {
    fn pop(&self, hub: &mut Hub) -> Result<Wait> {
        let wait = self.redis.brpop(hub, "queue", self.timeout)?;
        Ok(self.deadline.map_or(wait, |deadline| wait.within(deadline)))
    }
}

impl Task for Consumer {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        let mut books = self.books.borrow_mut();
        match wake {
            Wake::Start | Wake::Elapsed | Wake::Deadline => return self.pop(hub),
            Wake::Reply(Ok(reply)) => {
                let took = reply.elapsed();
                match reply.to::<Option<(String, u64)>>()? {
                    Some((_, element)) => *books.delivered.entry(element).or_default() += 1,
                    None => books.check_time(self.timeout, took),
                }
                return self.pop(hub);
            }
            Wake::Reply(Err(error)) => {
                books.told_unknown += usize::from(is_unknown(&error));
                books.check_refusal(self.timeout, &error);
            }
            Wake::Killed => {}
            other => return Err(other.unexpected()),
        }
        Ok(Wait::sleep(self.rest))
    }
}

impl Books {
    /// How many elements were pushed, were delivered, and may have gone with a pop.
    pub fn totals(&self) -> (usize, usize, usize) {
        (self.pushed.len(), self.delivered.len(), self.unknown_pops)
    }

    /// The accounts, which are closed.
    pub fn take(books: &Shared) -> Books {
        books.take()
    }

    /// The pool has counted so many pops whose outcome is unknown.
    pub fn count_unknown(&mut self, count: u64) {
        self.unknown_pops = usize::try_from(count).expect("there were not so many");
    }

    /// These elements were asked to be pushed, or have been, or may have been.
    pub fn push(&mut self, elements: impl Iterator<Item = u64>, pushed: Pushed) {
        self.pushed
            .extend(elements.map(|element| (element, pushed)));
    }

    fn check_refusal(&mut self, timeout: Timeout, error: &Error) {
        let is_refusal = error.kind() == ErrorKind::Server && error.code() == Some("LOADING");
        if timeout == Timeout::Forever && is_refusal {
            self.refused = Some(error.to_string());
        }
    }

    fn check_time(&mut self, timeout: Timeout, took: Duration) {
        match timeout {
            Timeout::After(asked) if took >= asked => {}
            Timeout::After(asked) => self.early = Some((asked, took)),
            Timeout::Forever => self.early = Some((Duration::MAX, took)),
        }
    }
}

/// What is in the list when nobody pops any more.
pub fn what_is_left(world: &mut World) -> Result<Vec<u64>, String> {
    let address = world::URL.parse().map_err(|_| "the address")?;
    let redis = Redis::open_with(&mut world.hub, address, world::config());
    let redis = redis.map_err(|error| error.to_string())?;
    let command = greenroom::Command::new("LRANGE")
        .arg("queue")
        .arg(0)
        .arg(-1);
    // What was on its way when the consumers ended arrives now.
    world.sleep(secs(5));
    let asked = redis.send(&mut world.hub, command);
    let asked = asked.map_err(|error| error.to_string())?;
    let reply = world.patiently(asked)?.reply();
    redis.close(&mut world.hub);
    let left = reply.and_then(|reply| reply.to::<Vec<u64>>());
    left.map_err(|error| format!("the list cannot be read: {error}"))
}

pub fn settle(books: &Books, left: &[u64]) -> Verdict {
    if books.told_unknown > books.unknown_pops {
        let (told, counted) = (books.told_unknown, books.unknown_pops);
        return Err(format!(
            "{told} pops are told as unknown, {counted} counted"
        ));
    }
    if let Some((asked, took)) = books.early {
        return Err(format!("nil after {took:?}, {asked:?} were asked"));
    }
    if let Some(error) = &books.refused {
        return Err(format!("a pop without a timeout has failed: {error}"));
    }
    let mut seen = books.delivered.clone();
    for element in left {
        *seen.entry(*element).or_default() += 1;
    }
    for (element, count) in &seen {
        match books.pushed.get(element) {
            _ if *count > 1 => return Err(format!("{element} is there {count} times")),
            None | Some(Pushed::No) => return Err(format!("{element} was never pushed")),
            _ => {}
        }
    }
    let missing = books.pushed.iter();
    let missing =
        missing.filter(|(element, pushed)| **pushed == Pushed::Yes && !seen.contains_key(element));
    let missing: Vec<_> = missing.map(|(element, _)| element).collect();
    match missing.len() <= books.unknown_pops {
        true => Ok(()),
        false => Err(format!(
            "lost: {missing:?}, and {} pops are unknown",
            books.unknown_pops
        )),
    }
}
