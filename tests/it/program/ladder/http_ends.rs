//! The eighth: clients that go away, and its own end. No element gets lost by either.

use super::http::{Client, Site};
use super::*;

/// Pops what is left.
fn rest(client: &mut Client) -> Vec<String> {
    let popped = std::iter::repeat_with(|| client.get("/pop?timeout=0.05"));
    let popped = popped.take_while(|answer| answer.status == 200);
    popped.map(|answer| answer.body).collect()
}

#[test]
fn a_client_that_goes_away_takes_its_pop_with_it() {
    let site = Site::open();
    let mut client = site.client();
    client.ask("/pop?timeout=60");
    eventually("it waits", || site.stat("in_use") == 1);
    drop(client);
    eventually("the pop is taken back", || site.stat("in_use") == 0);
    assert_eq!((site.stat("cancelled"), site.stat("available")), (1, 1));
    let mut other = site.client();
    assert_eq!(other.get("/push?kept").body, "1\n");
    assert_eq!(other.get("/pop").body, "kept\n");
}

#[test]
fn clients_that_go_away_while_elements_come_lose_none() {
    const ELEMENTS: usize = 300;
    let site = Site::open();
    let mut pusher = site.client();
    let mut heard = Vec::new();
    for number in 0..ELEMENTS {
        let mut client = site.client();
        client.ask("/pop?timeout=60");
        if number % 3 > 0 {
            // It waits in Redis by the time the element comes, or it is on its way there.
            thread::sleep(Duration::from_micros(number as u64 * 10));
        }
        // At the same moment: the element is pushed, and who waits for it says goodbye, but listens for what was on its way.
        pusher.ask(&format!("/push?{number}"));
        client.fall_silent();
        while let Some(answer) = client.hear() {
            assert_eq!(answer.status, 200, "{answer:?}");
            heard.push(answer.body);
        }
        assert_eq!(pusher.hear().unwrap().status, 200);
    }
    eventually("nobody waits", || site.stat("in_use") == 0);
    let left = rest(&mut pusher);
    // Or it would have been no race.
    assert!(!heard.is_empty() && !left.is_empty(), "{heard:?} {left:?}");
    let all = heard
        .iter()
        .chain(&left)
        .map(|body| numbers(body)[0] as usize);
    let mut all: Vec<usize> = all.collect();
    all.sort_unstable();
    assert_eq!(all, (0..ELEMENTS).collect::<Vec<_>>());
}

#[test]
fn a_signal_ends_it_and_tells_who_waits() {
    for signal in ["INT", "TERM"] {
        let site = Site::open();
        let (mut idle, mut waits) = (site.client(), site.client());
        assert_eq!(idle.get("/incr?n").status, 200);
        waits.ask("/pop?timeout=60");
        eventually("it waits", || site.stat("in_use") == 1);
        site.running.signal(signal);
        let told = waits.hear().unwrap();
        assert_eq!((told.status, &*told.body), (503, "the server ends\n"));
        assert!(told.head.contains("Connection: close\r\n"), "{told:?}");
        assert!(waits.hear().is_none() && idle.hear().is_none());
        let ended = site.running.finish();
        assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
        assert!(ended.out.ends_with("The end.\n"), "{ended:?}");
    }
}

#[test]
fn a_client_that_does_not_listen_does_not_keep_it_from_ending() {
    let site = Site::open();
    let mut deaf = site.client();
    let big = "x".repeat(7000);
    assert_eq!(deaf.get(&format!("/push?{big}")).status, 200);
    // Nobody takes the answers, which are more than all buffers hold.
    let round = format!("/push?{big}");
    deaf.never_listens(&["/pop", &round]);
    let begin = Instant::now();
    site.running.interrupt();
    let ended = site.running.finish();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    assert!(ended.out.ends_with("The end.\n"), "{ended:?}");
    assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
}

#[test]
fn its_end_loses_no_element_either() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let site = Site::on(server.port());
    let mut clients: Vec<_> = (0..40).map(|_| site.client()).collect();
    for client in &mut clients {
        client.ask("/pop?timeout=60");
    }
    let mut side = server.side();
    await_blocked(&mut side, 40);
    let pushing = thread::spawn(move || {
        for number in 0..20 {
            side.ask(["LPUSH".to_owned(), "ladder".into(), number.to_string()]);
        }
        side
    });
    site.running.interrupt();
    let answers: Vec<_> = clients.iter_mut().filter_map(Client::hear).collect();
    let ended = site.running.finish();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    let mut side = pushing.join().unwrap();
    let popped = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(answers.len(), 40);
    assert_eq!(side.number(["LLEN", "ladder"]), 20 - popped as i64);
}
