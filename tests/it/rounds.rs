//! Pops without a timeout, which are asked in rounds of which nobody sees anything.

use greenroom::server::{self, Server};
use greenroom::sim::{Sim, Strike};
use greenroom::{Command, Config, Endpoint, Hub, Redis, Timeout, Wake, ms, secs};
use std::time::Duration;

const ROUND: Duration = secs(10);

fn world() -> (Sim, Hub, Server, Redis) {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let server = Server::new(&mut hub, server::Config::default());
    let at = Endpoint::Tcp(([127, 0, 0, 1], 6379).into());
    server.listen(&mut hub, &at).unwrap();
    let mut config = Config::default();
    config.forever_round = Some(ROUND);
    let address = "redis://127.0.0.1:6379".parse().unwrap();
    let redis = Redis::open_with(&mut hub, address, config).unwrap();
    (sim, hub, server, redis)
}

#[test]
fn a_wait_without_end_outlasts_its_rounds() {
    let (_, mut hub, server, redis) = world();
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    let pusher = hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(greenroom::Wait::sleep(35 * ROUND / 10)),
        Wake::Elapsed => redis.lpush(hub, "list", "element"),
        _ => Ok(greenroom::Wait::done()),
    });
    let reply = hub.wait(asked).unwrap().reply().unwrap();
    hub.join(pusher).unwrap();
    let took = reply.elapsed();
    assert!(
        took >= 35 * ROUND / 10 && took < 35 * ROUND / 10 + ms(1),
        "{took:?}"
    );
    assert_eq!(reply.to::<(String, String)>().unwrap().1, "element");
    // CLIENT ID, four slices; PING, and the push.
    assert_eq!(server.stats().commands, 1 + 4 + 1 + 1);
}

#[test]
fn a_server_that_vanishes_is_noticed_after_the_round() {
    let (sim, mut hub, _, redis) = world();
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    sim.strike_at(hub.now() + secs(25), Strike::VanishAll);
    let error = hub.wait(asked).unwrap().reply().unwrap_err();
    assert!(error.is_timeout() && error.maybe_executed(), "{error}");
    // The third slice was to end after 30 s. Half of the grace later the server is asked, and is
    // silent for as long as any command may take.
    let noticed = hub.now().as_nanos() / 1_000_000;
    assert!((36_000..=36_001).contains(&noticed), "{noticed} ms");
}

#[test]
fn a_wait_without_end_outlasts_a_server_that_is_not_ready() {
    let (sim, mut hub, server, redis) = world();
    server.refuse(sim.error_replies());
    let loading = "LOADING Redis is loading the dataset in memory";
    sim.strike(Strike::ErrorReplies(loading.into(), secs(5)));
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    let pusher = hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(greenroom::Wait::sleep(secs(7))),
        Wake::Elapsed => redis.lpush(hub, "list", "element"),
        _ => Ok(greenroom::Wait::done()),
    });
    let reply = hub.wait(asked).unwrap().reply().unwrap();
    hub.join(pusher).unwrap();
    assert_eq!(reply.to::<(String, String)>().unwrap().1, "element");
    // Ten tries in the pauses of a lost connect, and not one for each round trip, on one connection.
    let commands = server.stats().commands;
    assert!((10..=24).contains(&commands), "{commands}");
    assert_eq!(
        redis.stats(&hub).connects,
        2,
        "one to pop, and the shared one"
    );
}

#[test]
fn a_pop_that_is_killed_between_and_within_rounds_loses_nothing() {
    let end = u64::try_from(ROUND.as_micros()).unwrap();
    for micros in [end / 2, end - 100, end - 1, end, end + 1, end + 100] {
        let (_, mut hub, _, redis) = world();
        let task = hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.brpop(hub, "list", Timeout::Forever),
            _ => Ok(greenroom::Wait::done()),
        });
        hub.sleep(Duration::from_micros(micros)).unwrap();
        hub.kill(task);
        hub.drain().unwrap();
        let asked = redis.lpush(&mut hub, "list", "element").unwrap();
        hub.wait(asked).unwrap().reply().unwrap();
        let asked = redis
            .send(&mut hub, Command::new("LLEN").arg("list"))
            .unwrap();
        let left: u64 = hub.wait(asked).unwrap().reply().unwrap().to().unwrap();
        assert_eq!(left, 1, "{micros} us");
        assert_eq!(redis.stats(&hub).cancelled, 1);
    }
}
