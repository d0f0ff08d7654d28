//! Producers and consumers with accounts: what was pushed was popped, is left, or may have gone
//! with a pop of indeterminate outcome.

use super::*;
use crate::swarm::queue::{Books, Shared, consume, produce, settle};
use greenroom::sim::Random;

/// Consumers that are killed at random and replaced, and producers.
pub(super) struct Crowd {
    redis: Redis,
    random: Random,
    books: Shared,
    consumers: Vec<TaskId>,
    producers: Vec<TaskId>,
}

impl Crowd {
    /// Spawns consumers, some with a deadline, and eight producers that push `each` elements. These
    /// have a client of their own: during a pause a write holds up everything behind it on its
    /// connection.
    pub(super) fn new(field: &mut Field, consumers: usize, each: u64) -> Crowd {
        let (redis, mut random, books) = (field.redis, Random::new(1), Shared::default());
        let (hub, address) = (&mut field.hub, field.server.tcp());
        let pusher = Redis::open_with(hub, address, Config::default()).unwrap();
        let producers = (0..8)
            .map(|number| produce(hub, pusher, &mut random, &books, number << 32, each))
            .collect();
        let consumers = (0..consumers)
            .map(|_| consume(hub, redis, &mut random, &books))
            .collect();
        Crowd {
            redis,
            random,
            books,
            consumers,
            producers,
        }
    }

    /// Kills a consumer about every millisecond, for `time`.
    pub(super) fn churn(&mut self, hub: &mut Hub, time: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < time {
            let pause = self.random.duration(&(ms(0)..=ms(2)));
            hub.sleep(pause).unwrap();
            let victim = self.random.index(self.consumers.len());
            hub.kill(self.consumers[victim]);
            self.consumers[victim] = consume(hub, self.redis, &mut self.random, &self.books);
        }
    }

    /// Churns until the producers have pushed everything, and then ends all consumers.
    pub(super) fn end(&mut self, field: &mut Field) {
        let hub = &mut field.hub;
        let deadline = Instant::now() + PATIENCE;
        while !self.producers.iter().all(|&task| hub.is_ended(task)) {
            assert!(Instant::now() < deadline, "the producers do not end");
            assert_eq!(field.server.crash_report(), None);
            self.churn(hub, ms(50));
        }
        for consumer in std::mem::take(&mut self.consumers) {
            hub.kill(consumer);
        }
        hub.drain().unwrap();
    }

    /// Closes the accounts against what `side` finds in the list.
    pub(super) fn settle(self, field: &Field, side: &mut Side) {
        let left: Vec<u64> = side.ask(["LRANGE", "queue", "0", "-1"]).convert().unwrap();
        let counts = field.counts();
        let mut books = self.books.borrow_mut();
        Books::count_unknown(&mut books, counts.indeterminate);
        let (pushed, delivered, _) = books.totals();
        println!(
            "{pushed} pushed, {delivered} delivered, {} left; {counts:?}",
            left.len()
        );
        settle(&books, &left).unwrap();
        assert!(delivered > 0, "{counts:?}");
    }
}
