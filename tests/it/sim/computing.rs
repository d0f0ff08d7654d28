//! Tasks that compute: the clock goes on within a turn, and so does the network.

use super::*;

#[test]
fn nothing_overtakes_what_was_under_way_when_a_task_computed() {
    let sim = Sim::new(1);
    let mut slow = Faults::none();
    slow.latency = ms(5)..=ms(5);
    sim.set_faults(slow);
    let mut hub = Hub::simulated(&sim);
    let listener = hub.listen(&Endpoint::Tcp(at())).unwrap();
    let here = hub.connect(&Endpoint::Tcp(at())).unwrap();
    hub.sleep(ms(20)).unwrap();
    let there = hub.accept(listener).unwrap().expect("it has connected");
    hub.write(here, b"first ").unwrap();
    sim.set_faults(Faults::none());
    sim.strike(Strike::JumpClock(ms(10)));
    hub.write(here, b"second").unwrap();
    hub.sleep(ms(1)).unwrap();
    let mut bytes = [0; 16];
    let count = hub.read(there, &mut bytes).unwrap().unwrap();
    assert_eq!(&bytes[..count], b"first second");
}

/// What a task asks leaves at the end of the turn: the server must not be blamed for what others have computed until then.
#[test]
fn who_asks_beside_a_task_that_computes_is_answered() {
    for (deadline, allowed) in [(ms(50), secs(5)), (secs(5), ms(50))] {
        let sim = Sim::new(1);
        let mut config = Config::default();
        config.command_timeout = allowed;
        let (mut hub, _, redis) = world(&sim, config);
        let mut slow = Faults::none();
        slow.latency = Duration::from_micros(200)..=Duration::from_micros(200);
        sim.set_faults(slow);
        let connected = redis.get(&mut hub, "key").unwrap();
        hub.wait(connected).unwrap().reply().unwrap();
        let asks = hub.spawn(move |hub, wake| match wake {
            Wake::Start => Ok(redis.get(hub, "key")?.within(deadline)),
            wake => wake.reply().map(|_| Wait::done()),
        });
        let computing = sim.clone();
        let computes = hub.spawn(move |_hub, _wake| {
            computing.strike(Strike::JumpClock(ms(100)));
            Ok(Wait::done())
        });
        hub.join_all(&[asks, computes]).unwrap();
        // Main computes between asking and waiting.
        let asked = redis.get(&mut hub, "key").unwrap();
        sim.strike(Strike::JumpClock(ms(100)));
        hub.wait(asked).unwrap().reply().unwrap();
    }
}

/// But not for ever: a deadline is put off once.
#[test]
fn a_deadline_ends_a_wait_however_much_others_compute() {
    let sim = Sim::new(1);
    sim.scripts(at(), [Script::new().expect_command(&GET).wait(secs(3600))]);
    let mut hub = Hub::simulated(&sim);
    let redis = Redis::open_with(&mut hub, URL.parse().unwrap(), silent()).unwrap();
    let computing = sim.clone();
    let computes = hub.spawn(move |_hub, wake| match wake {
        Wake::Killed => Ok(Wait::done()),
        _ => {
            computing.strike(Strike::JumpClock(ms(20)));
            Ok(Wait::sleep(Duration::ZERO))
        }
    });
    let began = hub.now();
    let asked = redis.get(&mut hub, "key").unwrap().within(ms(50));
    assert!(matches!(hub.wait(asked).unwrap(), Wake::Deadline));
    let took = hub.now().since(began);
    assert!(took <= ms(50) + 3 * ms(20), "{took:?}");
    hub.kill(computes);
}

/// Deadlines wait when more may be there than was reported. A simulated hub sees to it that each of its timers is armed.
#[test]
fn a_wait_for_a_connection_is_put_off_by_a_signal_and_ends() {
    let sim = Sim::new(5);
    let mut config = Config::default();
    config.max_connections = Some(1);
    config.pool_timeout = ms(10);
    let (mut hub, _, redis) = world(&sim, config);
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    hub.ignore(asked);
    let computing = sim.clone();
    let task = hub.spawn(move |_hub, wake| {
        if let Wake::Start = wake {
            return Ok(Wait::sleep(ms(5)));
        }
        let mut strange = Faults::none();
        strange.interrupts = 0.9;
        computing.set_faults(strange);
        computing.strike(Strike::JumpClock(ms(20)));
        Ok(Wait::done())
    });
    hub.detach(task);
    let error = pop(&mut hub, &redis, Timeout::Forever).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(!error.maybe_executed(), "{error}");
}
