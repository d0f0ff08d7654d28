//! The queue of the swarm, on a real server behind a relay that does what networks do: it delays, cuts and resets.
//!
//! What the simulation believes of a kernel, this asks the kernel itself. The accounts are the same: see
//! [`swarm::queue`](crate::swarm::queue). `GREENROOM_SOAK=SECONDS` lasts longer.

use crate::server::{Server, raise_open_files};
use crate::swarm::queue::{Shared, consume, produce, settle};
use greenroom::sim::Random;
use greenroom::{ClientIds, Command, Config, Hub, Redis, Wait, ms, secs};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long it lasts unless told otherwise.
const SOAK: Duration = secs(5);

/// How often the relay cuts, delays and resets what passes.
const CUTS: f64 = 0.2;
const DELAYS: f64 = 0.1;
const RESETS: f64 = 0.002;

/// Relays connections to a server, from now on and for ever. Says where.
fn relay(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, client) in (0..).zip(listener.incoming()) {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                continue;
            };
            let ends = [client.try_clone().unwrap(), server.try_clone().unwrap()];
            let [client_too, server_too] = ends;
            let (there, back) = (Random::new(2 * number), Random::new(2 * number + 1));
            thread::spawn(move || pump(client, server, there));
            thread::spawn(move || pump(server_too, client_too, back));
        }
    });
    at
}

/// Passes bytes on, until one of the ends is gone or chance wants it so.
fn pump(mut from: TcpStream, mut to: TcpStream, mut random: Random) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if random.chance(RESETS) {
            for end in [&from, &to] {
                let _ = SockRef::from(end).set_linger(Some(Duration::ZERO));
            }
            break;
        }
        if random.chance(DELAYS) {
            thread::sleep(random.duration(&(ms(1)..=ms(20))));
        }
        let cut = match random.chance(CUTS) {
            true => random.index(count),
            false => 0,
        };
        let (first, rest) = buffer[..count].split_at(cut);
        let passed = to.write_all(first).and_then(|()| {
            if cut > 0 {
                thread::sleep(ms(1));
            }
            to.write_all(rest)
        });
        if passed.is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_queue_behind_a_bad_network_loses_nothing_without_a_word() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    raise_open_files();
    let seconds = std::env::var("GREENROOM_SOAK").ok();
    let soak = seconds.map_or(SOAK, |text| secs(text.parse().expect("seconds")));
    let relay = relay(SocketAddr::from(([127, 0, 0, 1], server.port())));
    let mut hub = Hub::new().unwrap();
    hub.on_error(|_| {});
    let mut config = Config::default();
    config.command_timeout = secs(2);
    // The server sees the relay's addresses, not ours.
    config.client_ids = ClientIds::AtConnect;
    let redis = Redis::open_with(
        &mut hub,
        format!("redis://{relay}").parse().unwrap(),
        config,
    );
    let redis = redis.unwrap();
    let mut random = Random::new(1);
    let books = Shared::default();
    let producers: Vec<_> = (0..8)
        .map(|number| {
            produce(
                &mut hub,
                redis,
                &mut random,
                &books,
                number << 32,
                u64::from(u32::MAX),
            )
        })
        .collect();
    let mut consumers: Vec<_> = (0..32)
        .map(|_| consume(&mut hub, redis, &mut random, &books))
        .collect();
    let end = Instant::now() + soak;
    while Instant::now() < end {
        let pause = random.duration(&(ms(1)..=ms(100)));
        hub.sleep(pause).unwrap();
        let victim = random.index(consumers.len());
        hub.kill(consumers[victim]);
        consumers[victim] = consume(&mut hub, redis, &mut random, &books);
    }
    for task in producers.into_iter().chain(consumers) {
        hub.kill(task);
        hub.wait(Wait::join(task)).unwrap();
    }
    hub.drain().unwrap();
    // What is still on its way arrives, at the server or nowhere.
    hub.sleep(secs(1)).unwrap();
    let direct = Redis::open(&mut hub, &format!("redis://127.0.0.1:{}", server.port())).unwrap();
    let asked = direct.send(&mut hub, Command::new("LRANGE").arg("queue").arg(0).arg(-1));
    let left: Vec<u64> = hub
        .wait(asked.unwrap())
        .unwrap()
        .reply()
        .unwrap()
        .to()
        .unwrap();
    let mut books = books.borrow_mut();
    books.count_unknown(redis.stats(&hub).indeterminate);
    let (pushed, delivered, unknown) = books.totals();
    println!(
        "{pushed} pushed, {delivered} delivered, {} left, {unknown} unknown",
        left.len()
    );
    assert!(
        delivered > 0 && redis.stats(&hub).connects > 32,
        "nothing happened"
    );
    settle(&books, &left).unwrap();
    hub.verify().unwrap();
}
