//! Blocking pops.

use super::*;

#[test]
fn a_pop_of_an_empty_list_is_answered_nil_when_its_timeout_has_passed() {
    on_both(|live, kind| {
        let list = format!("empty:{kind}");
        let timeout = Timeout::After(ms(100));
        let asked = live.redis.brpop(&mut live.hub, &list, timeout).unwrap();
        let reply = live.hub.wait(asked).unwrap().reply().unwrap();
        assert!(reply.is_none(), "{reply:?}");
        assert!((ms(95)..ms(1000)).contains(&reply.elapsed()), "{reply:?}");
    });
}

#[test]
fn a_pop_takes_an_element_that_is_there_at_once() {
    on_both(|live, kind| {
        let list = format!("there:{kind}");
        live.server.side().ask(["LPUSH", &list, "element"]);
        let begin = Instant::now();
        let popped: Option<(String, String)> =
            live.get(|redis, hub| redis.brpop(hub, &list, Timeout::After(secs(10))));
        assert_eq!(popped, pair(&list, "element"));
        assert!(begin.elapsed() < secs(5));
        assert_eq!(live.server.side().number(["LLEN", &list]), 0);
    });
}

#[test]
fn brpop_takes_the_tail_and_blpop_the_head() {
    let Some(mut live) = live() else { return };
    live.server.side().ask(["RPUSH", "ends", "1", "2", "3"]);
    let tail: Option<(String, String)> = live.get(|redis, hub| redis.brpop(hub, "ends", SOON));
    let head: Option<(String, String)> = live.get(|redis, hub| redis.blpop(hub, "ends", SOON));
    assert_eq!((tail, head), (pair("ends", "3"), pair("ends", "1")));
}

#[test]
fn a_pop_of_several_lists_takes_from_the_first_that_has_an_element() {
    let Some(mut live) = live() else { return };
    let mut side = live.server.side();
    side.ask(["RPUSH", "order:b", "b"]);
    side.ask(["RPUSH", "order:c", "c"]);
    let lists = ["order:a", "order:b", "order:c"];
    for expected in [pair("order:b", "b"), pair("order:c", "c"), None] {
        let popped: Option<(String, String)> = live.get(|redis, hub| redis.brpop(hub, lists, SOON));
        assert_eq!(popped, expected);
    }
}

#[test]
fn blmove_takes_from_either_end_and_gives_to_either_end() {
    let Some(mut live) = live() else { return };
    let mut side = live.server.side();
    for (from, to, element, list) in [
        (End::Left, End::Left, "1", ["1", "x"]),
        (End::Left, End::Right, "1", ["x", "1"]),
        (End::Right, End::Left, "2", ["2", "x"]),
        (End::Right, End::Right, "2", ["x", "2"]),
    ] {
        side.ask(["DEL", "move:from", "move:to"]);
        side.ask(["RPUSH", "move:from", "1", "2"]);
        side.ask(["RPUSH", "move:to", "x"]);
        let moved: Option<String> =
            live.get(|redis, hub| redis.blmove(hub, ("move:from", from), ("move:to", to), SOON));
        assert_eq!(moved.as_deref(), Some(element), "{from:?} {to:?}");
        let there: Vec<String> = side
            .ask(["LRANGE", "move:to", "0", "-1"])
            .convert()
            .unwrap();
        assert_eq!(there, list, "{from:?} {to:?}");
    }
}

#[test]
fn brpoplpush_moves_the_tail_to_the_head() {
    let Some(mut live) = live() else { return };
    let mut side = live.server.side();
    side.ask(["RPUSH", "rotate:from", "1", "2"]);
    side.ask(["RPUSH", "rotate:to", "x"]);
    let moved: Option<String> =
        live.get(|redis, hub| redis.brpoplpush(hub, "rotate:from", "rotate:to", SOON));
    assert_eq!(moved.as_deref(), Some("2"));
    let there: Vec<String> = side
        .ask(["LRANGE", "rotate:to", "0", "-1"])
        .convert()
        .unwrap();
    assert_eq!(there, ["2", "x"]);
}

#[test]
fn blmpop_takes_up_to_a_count_from_the_side_that_is_asked_for() {
    let Some(mut live) = live() else { return };
    let filled = ["RPUSH", "many:b", "1", "2", "3", "4", "5"];
    live.server.side().ask(filled);
    let lists = ["many:a", "many:b"];
    let mut pop = |side, count| -> Option<(String, Vec<String>)> {
        live.get(|redis, hub| redis.blmpop(hub, &lists, side, count, SOON))
    };
    let of_b = |elements: &[&str]| {
        let elements = elements.iter().map(|&element| element.to_owned());
        Some(("many:b".to_owned(), elements.collect()))
    };
    assert_eq!(pop(End::Left, 2), of_b(&["1", "2"]));
    assert_eq!(pop(End::Right, 10), of_b(&["5", "4", "3"]));
}

#[test]
fn bzpop_takes_the_lowest_or_the_highest_score() {
    let Some(mut live) = live() else { return };
    let filled = ["ZADD", "ranks", "1.5", "low", "2", "middle", "inf", "high"];
    live.server.side().ask(filled);
    let mut pop = |rank| -> Option<(String, String, f64)> {
        live.get(|redis, hub| redis.bzpop(hub, ["ranks:none", "ranks"], rank, SOON))
    };
    assert_eq!(pop(Rank::Min), Some(("ranks".into(), "low".into(), 1.5)));
    let highest = Some(("ranks".into(), "high".into(), f64::INFINITY));
    assert_eq!(pop(Rank::Max), highest);
}

#[test]
fn every_kind_of_pop_answers_nil_when_nothing_comes() {
    type Pop = fn(Redis, &mut Hub) -> Result<Wait>;
    let pops: [Pop; 6] = [
        |redis, hub| redis.brpop(hub, ["no:1", "no:2"], SOON),
        |redis, hub| redis.blpop(hub, "no:1", SOON),
        |redis, hub| redis.blmove(hub, ("no:1", End::Left), ("no:2", End::Left), SOON),
        |redis, hub| redis.brpoplpush(hub, "no:1", "no:2", SOON),
        |redis, hub| redis.blmpop(hub, &["no:1"], End::Left, 3, SOON),
        |redis, hub| redis.bzpop(hub, "no:1", Rank::Max, SOON),
    ];
    let Some(server) = Server::shared() else {
        return;
    };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut live = Live::new(&server, server.unix().with_protocol(protocol));
        for (number, pop) in pops.iter().enumerate() {
            let value: Value = live.get(pop);
            assert!(value.is_null(), "{protocol:?}, pop {number}: {value:?}");
        }
    }
}

#[test]
fn no_timeout_is_so_short_that_it_means_for_ever() {
    let Some(mut live) = live() else { return };
    // Redis reads 0 as for ever, and some of its versions read 0.0004 as 0.
    for timeout in [
        Duration::ZERO,
        Duration::from_nanos(1),
        ms(1),
        Duration::from_micros(1500),
    ] {
        let asked = live
            .redis
            .brpop(&mut live.hub, "short", Timeout::After(timeout));
        let wake = live.hub.wait(asked.unwrap().within(secs(5))).unwrap();
        let reply = wake.reply().unwrap();
        assert!(reply.is_none() && reply.elapsed() >= timeout, "{timeout:?}");
    }
}

#[test]
fn a_pop_that_waits_for_ever_is_answered_by_a_later_push() {
    on_both(|live, kind| {
        let list = format!("later:{kind}");
        let mut side = live.server.side();
        let asked = live.redis.brpop(&mut live.hub, &list, Timeout::Forever);
        let pushed = list.clone();
        let pusher = live.hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(60))),
            _ => {
                side.ask(["LPUSH", &pushed, "late"]);
                Ok(Wait::done())
            }
        });
        live.hub.detach(pusher);
        let reply = live.hub.wait(asked.unwrap()).unwrap().reply().unwrap();
        assert!(reply.elapsed() >= ms(30), "{:?}", reply.elapsed());
        assert_eq!(
            reply.to::<Option<(String, String)>>().unwrap(),
            pair(&list, "late")
        );
    });
}

#[test]
fn two_hundred_pops_get_one_each_of_two_hundred_elements() {
    const COUNT: usize = 200;
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(COUNT, "jobs", Timeout::Forever);
    live.run_until_blocked(COUNT, &mut side);
    let numbers: Vec<String> = (0..COUNT).map(|number| number.to_string()).collect();
    // In two commands, so that some of them are served while others go on waiting.
    for half in numbers.chunks(COUNT / 2) {
        let command = ["LPUSH", "jobs"].map(str::to_owned).into_iter();
        side.ask(command.chain(half.iter().cloned()).collect::<Vec<_>>());
    }
    live.hub.join_all(&tasks).unwrap();

    let results = results.take();
    assert_eq!(results.len(), COUNT);
    let popped = results.into_iter().map(|result| {
        let (_, element): (String, String) = result.unwrap().convert().unwrap();
        element
    });
    assert_eq!(
        popped.collect::<BTreeSet<_>>(),
        numbers.into_iter().collect()
    );
    assert_eq!(side.number(["LLEN", "jobs"]), 0);
}

#[test]
fn five_hundred_pops_wait_at_the_same_time() {
    by_the_clock(|| {
        let Some(mut live) = live() else { return };
        let begin = Instant::now();
        let (tasks, results) = live.spawn_pops(500, "five:hundred", Timeout::After(secs(1)));
        live.hub.join_all(&tasks).unwrap();
        let took = begin.elapsed();
        let nil = |result: &Result<Value>| result.as_ref().is_ok_and(Value::is_null);
        assert_eq!(
            results.borrow().iter().filter(|result| nil(result)).count(),
            500
        );
        assert!((secs(1)..ms(1500)).contains(&took), "{took:?}");
        let stats = live.redis.stats(&live.hub);
        assert_eq!(
            (stats.created, stats.in_use, stats.available),
            (500, 0, 500)
        );
    });
}
