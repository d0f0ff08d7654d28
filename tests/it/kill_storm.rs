//! Five hundred consumers on a real Redis that are killed at random and whose deadlines pass all the time, under twenty
//! thousand elements a second: in the end every element is accounted for.
//!
//! `GREENROOM_STORM=60` makes it last so many seconds.

use crate::server::Server;
use crate::swarm::queue::{Books, Pushed, Shared, consume, settle};
use greenroom::sim::Random;
use greenroom::{Command, Hub, PoolStats, Redis, Result, Task, TaskId, Wait, Wake, ms, secs};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

const CONSUMERS: usize = 500;

/// Eight producers, a batch every four milliseconds each, and its answer.
const PRODUCERS: u64 = 8;
const BATCH: u64 = 20;
const PAUSE: Duration = ms(4);

struct Producer {
    redis: Redis,
    books: Shared,
    next: u64,
    is_over: Rc<Cell<bool>>,
}

impl Producer {
    fn note(&self, pushed: Pushed) {
        let batch = self.next..self.next + BATCH;
        self.books.borrow_mut().push(batch, pushed);
    }
}

impl Task for Producer {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        let pushed = match wake {
            Wake::Reply(Ok(_)) => Some(Pushed::Yes),
            Wake::Reply(Err(error)) if error.maybe_executed() => Some(Pushed::Unknown),
            Wake::Reply(Err(_)) => Some(Pushed::No),
            _ => None,
        };
        if let Some(pushed) = pushed {
            self.note(pushed);
            self.next += BATCH;
            return Ok(Wait::sleep(PAUSE));
        }
        if self.is_over.get() {
            return Ok(Wait::done());
        }
        self.note(Pushed::Asked);
        let batch: Vec<u64> = (self.next..self.next + BATCH).collect();
        self.redis.lpush(hub, "queue", batch)
    }
}

/// What troubles the connections, once every tenth of a second.
type Trouble = fn(&mut Storm);

struct Storm {
    server: Option<Server>,
    hub: Hub,
    redis: Redis,
    random: Random,
    books: Shared,
    consumers: Vec<TaskId>,
    faults: u64,
}

impl Storm {
    fn new(server: Server) -> Storm {
        let mut hub = Hub::new().unwrap();
        hub.on_error(|_| {});
        let url = format!("redis://127.0.0.1:{}", server.port());
        let redis = Redis::open(&mut hub, &url).unwrap();
        Storm {
            server: Some(server),
            hub,
            redis,
            random: Random::new(1),
            books: Shared::default(),
            consumers: Vec::new(),
            faults: 0,
        }
    }

    fn consume(&mut self) -> TaskId {
        consume(&mut self.hub, self.redis, &mut self.random, &self.books)
    }

    fn kill_one(&mut self) {
        let victim = self.random.index(CONSUMERS);
        self.hub.kill(self.consumers[victim]);
        self.consumers[victim] = self.consume();
    }

    /// Rages for as long as it is told to, and says what the pool has counted.
    fn rage(&mut self, trouble: Trouble) -> PoolStats {
        let is_over = Rc::new(Cell::new(false));
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|number| {
                self.hub.spawn_task(Producer {
                    redis: self.redis,
                    books: Rc::clone(&self.books),
                    next: number << 32,
                    is_over: Rc::clone(&is_over),
                })
            })
            .collect();
        self.consumers = (0..CONSUMERS).map(|_| self.consume()).collect();
        let seconds = std::env::var("GREENROOM_STORM").ok();
        let end = secs(seconds.map_or(2, |text| text.parse().expect("seconds")));
        let (begin, mut next) = (Instant::now(), ms(100));
        while begin.elapsed() < end {
            let pause = self.random.duration(&(ms(0)..=ms(2)));
            self.hub.sleep(pause).unwrap();
            self.kill_one();
            if begin.elapsed() > next {
                next += ms(100);
                trouble(self);
            }
        }
        is_over.set(true);
        for producer in producers {
            self.hub.wait(Wait::join(producer)).unwrap();
        }
        for consumer in std::mem::take(&mut self.consumers) {
            self.hub.kill(consumer);
        }
        self.hub.drain().unwrap();
        self.settle()
    }

    /// What is in the list. A server that has just come back may have to load it first.
    fn left(&mut self) -> Vec<u64> {
        loop {
            let range = Command::new("LRANGE").arg("queue").arg(0).arg(-1);
            let asked = self.redis.send(&mut self.hub, range).unwrap();
            match self.hub.wait(asked).unwrap().reply() {
                Ok(reply) => return reply.to().unwrap(),
                Err(error) => assert_eq!(error.code(), Some("LOADING"), "{error}"),
            }
            self.hub.sleep(ms(10)).unwrap();
        }
    }

    fn settle(&mut self) -> PoolStats {
        let left = self.left();
        let stats = self.redis.stats(&self.hub);
        let mut books = self.books.borrow_mut();
        Books::count_unknown(&mut books, stats.indeterminate);
        let (pushed, delivered, _) = books.totals();
        println!(
            "{pushed} pushed, {delivered} delivered, {} left; {} faults; {stats:?}",
            left.len(),
            self.faults
        );
        settle(&books, &left).unwrap();
        assert!(delivered > 0 && stats.cancelled > 0, "{stats:?}");
        stats
    }
}

#[test]
fn nothing_is_lost_when_consumers_are_killed_at_random() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let stats = Storm::new(server).rage(|_| {});
    assert_eq!(stats.indeterminate, 0, "no connection was lost");
    assert!(stats.requeued <= stats.undelivered, "{stats:?}");
}

#[test]
fn no_more_is_unknown_than_connections_were_killed() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let mut storm = Storm::new(server);
    let stats = storm.rage(|storm| {
        let mut side = storm.server.as_ref().unwrap().side();
        let list = side.text(["CLIENT", "LIST"]);
        let pops: Vec<&str> = list
            .lines()
            .filter(|it| it.contains(" cmd=brpop "))
            .collect();
        let Some(victim) = pops.get(storm.random.index(pops.len())) else {
            return;
        };
        let id = victim.split(' ').next().unwrap().trim_start_matches("id=");
        storm.faults += u64::from(side.number(["CLIENT", "KILL", "ID", id]) == 1);
    });
    assert!(
        stats.indeterminate <= storm.faults,
        "{stats:?}, {}",
        storm.faults
    );
    assert!(storm.faults > 5);
}

#[test]
fn nothing_is_lost_without_a_word_when_the_server_dies_and_comes_back() {
    const KEEPS_ALL: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
    let Some(server) = Server::start_tcp(&KEEPS_ALL) else {
        return;
    };
    let mut storm = Storm::new(server);
    let stats = storm.rage(|storm| {
        if storm.random.chance(0.1) {
            let server = storm.server.take();
            storm.server = server.map(|server| server.restart(&KEEPS_ALL));
            // Each connection had one pop at most, and may have had an element on its way back.
            storm.faults += 2 * storm.redis.stats(&storm.hub).created as u64;
        }
    });
    assert!(
        stats.indeterminate <= storm.faults,
        "{stats:?}, {}",
        storm.faults
    );
}
