//! Timeouts of blocked clients: never early, and late only by what the kernel takes to wake the
//! server. (A real Redis looks at them ten times a second.)

use super::*;
use greenroom::{Stream, Task};

const NIL: &[u8] = b"*-1\r\n";

/// Pops once, with a timeout, from a list that stays empty, and notes how late it was answered.
///
/// A task, since a clock in the hand of one of two hundred threads shows when that thread got the
/// processor.
struct Pop {
    at: Endpoint,
    timeout: Duration,
    /// Between connect and pop.
    pause: Duration,
    stream: Option<Stream>,
    sent: Option<Instant>,
    late: Notes<Duration>,
}

impl Task for Pop {
    fn resume(&mut self, hub: &mut Hub, _wake: Wake) -> greenroom::Result<Wait> {
        let Some(stream) = self.stream else {
            self.stream = Some(hub.connect(&self.at)?);
            return Ok(Wait::sleep(self.pause));
        };
        if self.sent.is_none() {
            let seconds = format!("{:.3}", self.timeout.as_secs_f64());
            self.sent = Some(Instant::now());
            let command = wire(["BRPOP", "list", &seconds]);
            assert_eq!(hub.write(stream, &command)?, Some(command.len()));
            return Ok(Wait::readable(stream));
        }
        let mut buffer = [0; 64];
        let Some(count) = hub.read(stream, &mut buffer)? else {
            return Ok(Wait::readable(stream));
        };
        let took = self.sent.expect("it was sent").elapsed();
        assert_eq!(&buffer[..count], NIL);
        assert!(
            took >= self.timeout,
            "{took:?} instead of {:?}",
            self.timeout
        );
        self.late.add(took - self.timeout);
        Ok(Wait::done())
    }
}

/// How late 200 pops were answered, and how late as many sleeps ended, each in order. The timeouts are
/// 5 to 300 ms; the sleeps tell what the machine can do just now.
fn lateness(server: &Embedded) -> [Vec<Duration>; 2] {
    const POPS: u64 = 200;
    let mut hub = Hub::new().unwrap();
    let [late, overslept] = [Notes::new(), Notes::new()];
    let mut tasks = Vec::new();
    for number in 0..POPS {
        // In no order.
        let timeout = ms(5 + number * 77 % POPS * 295 / (POPS - 1));
        tasks.push(hub.spawn_task(Pop {
            at: Endpoint::Unix(server.hosted.socket()),
            timeout,
            // Not all at once: how long it takes to read two hundred commands is not the question.
            pause: ms(20 + number),
            stream: None,
            sent: None,
            late: late.clone(),
        }));
        let (notes, mut begin) = (overslept.clone(), Instant::now());
        tasks.push(hub.spawn(move |_hub, wake| {
            if let Wake::Start = wake {
                begin = Instant::now();
                return Ok(Wait::sleep(timeout));
            }
            notes.add(begin.elapsed().saturating_sub(timeout));
            Ok(Wait::done())
        }));
    }
    hub.join_all(&tasks).unwrap();
    [late, overslept].map(|notes| {
        let mut late = notes.take();
        assert_eq!(late.len(), 200);
        late.sort_unstable();
        late
    })
}

/// Nine of ten pops were late by less than `grace`, and by what sleeps are late where two threads take
/// turns.
#[track_caller]
fn are_kept([late, overslept]: &[Vec<Duration>; 2], grace: Duration) {
    let [p50, p90] = [50, 90].map(|percent| percentile(late, percent));
    let sleeps = percentile(overslept, 90);
    let told = format!("pops: half {p50:?}, 90 % {p90:?}; sleeps: 90 % {sleeps:?}");
    eprintln!("{told}");
    assert!(p90 < 3 * sleeps + grace, "{told}");
}

#[test]
fn two_hundred_timeouts_are_kept_to_the_millisecond() {
    by_the_clock(|| {
        let mut server = Embedded::start();
        are_kept(&lateness(&server), ms(4));
        assert_eq!(server.figure("blocked_clients"), 0);
    });
}

#[test]
fn timeouts_are_kept_while_others_are_busy() {
    by_the_clock(|| {
        let server = Embedded::start();
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            for mut caller in server.both() {
                let ends = &ends;
                scope.spawn(move || {
                    let work = "INCR key\r\nLPUSH l a b\r\nLRANGE l 0 -1\r\nDEL l\r\n";
                    while !ends.load(Ordering::Relaxed) {
                        caller.send(work.repeat(50));
                        (0..200).for_each(|_| drop(caller.reply()));
                    }
                });
            }
            let late = lateness(&server);
            ends.store(true, Ordering::Relaxed);
            // A turn of the server may be full of work.
            are_kept(&late, ms(30));
        });
    });
}

#[test]
fn who_goes_on_sending_is_answered_in_time_nevertheless() {
    by_the_clock(|| {
        let server = Embedded::start();
        for mut caller in server.both() {
            let mut writer = caller.socket.try_clone().unwrap();
            let begin = Instant::now();
            caller.say(["BRPOP", "list", "0.1"]);
            let ends = AtomicBool::new(false);
            let took = thread::scope(|scope| {
                scope.spawn(|| {
                    while !ends.load(Ordering::Relaxed) {
                        writer.write_all(b"\r\n").unwrap();
                    }
                });
                caller.expect(NIL);
                ends.store(true, Ordering::Relaxed);
                begin.elapsed()
            });
            assert!((ms(100)..ms(200)).contains(&took), "{took:?}");
        }
    });
}

#[test]
fn a_pop_that_was_answered_is_not_answered_again_when_its_time_is_over() {
    let mut server = Embedded::start();
    for mut caller in server.both() {
        caller.say(["BRPOP", "list", "0.03"]);
        server.await_blocked(1);
        server.ask(["LPUSH", "list", "x"]);
        caller.expect(popped("list", "x"));
        // And the timeout of the first is not taken for that of the second.
        let begin = Instant::now();
        caller.say(["BRPOP", "list", "0.2"]);
        caller.expect(NIL);
        assert!(begin.elapsed() >= ms(200), "{:?}", begin.elapsed());
    }
}

/// An element that comes when the timeout is over: one answer, and the element is there once.
#[test]
fn an_element_that_comes_with_the_timeout_is_neither_lost_nor_given_twice() {
    let mut server = Embedded::start();
    let mut caller = server.caller();
    let (mut popped_ones, mut nils) = (0, 0);
    for round in 0..200_u64 {
        caller.say(["BRPOP", "list", "0.005"]);
        server.await_blocked(1);
        thread::sleep(Duration::from_micros(3500 + round * 10));
        server.ask(["LPUSH", "list", "x"]);
        let left = server.ask(["LLEN", "list"]);
        server.ask(["DEL", "list"]);
        caller.send("PING\r\n");
        let answer = caller.reply();
        caller.expect("+PONG\r\n");
        match answer.is_null() {
            true => nils += 1,
            false => popped_ones += 1,
        }
        assert_eq!(
            left,
            Value::Int(i64::from(answer.is_null())),
            "round {round}"
        );
    }
    assert_eq!(popped_ones + nils, 200);
}
