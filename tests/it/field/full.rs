//! A server without a place for one more client: requests wait until there is one.

use super::*;

const MAX_CLIENTS: [&str; 2] = ["--maxclients", "20"];
const KEY: &str = "jobs";

#[test]
fn pops_beyond_the_places_of_a_server_are_served_later() {
    let Some(mut field) = Field::start(&MAX_CLIENTS) else {
        return;
    };
    field.pops(40, KEY, Timeout::After(ms(300)));
    let ends = field.await_ends(40);
    check_all(&ends, 40, |end| matches!(end, End::Nil));
}

#[test]
fn elements_reach_pops_beyond_the_places_of_a_server() {
    let Some(mut field) = Field::start(&MAX_CLIENTS) else {
        return;
    };
    field.pops(40, KEY, Timeout::After(secs(5)));
    field.until("all places are taken", |field| field.side.blocked() >= 15);
    for number in 0..40 {
        field.side.ask(["RPUSH", KEY, &number.to_string()]);
        field.hub.sleep(ms(5)).unwrap();
    }
    let ends = field.await_ends(40);
    check_all(&ends, 40, |end| matches!(end, End::Popped(_)));
    assert_eq!(field.side.number(["LLEN", KEY]), 0);
}

#[test]
fn pops_beyond_the_places_of_a_cluster_node_are_served_later() {
    let flags = [&MAX_CLIENTS[..], &["--cluster-enabled", "yes"]].concat();
    let Some(mut field) = Field::start(&flags) else {
        return;
    };
    field.side.ask(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    field.until("the cluster is up", |field| {
        let info = field.side.text(["CLUSTER", "INFO"]);
        info.contains("cluster_state:ok")
    });
    field.pops(40, KEY, Timeout::After(ms(300)));
    let ends = field.await_ends(40);
    check_all(&ends, 40, |end| matches!(end, End::Nil));
}

#[test]
fn handshakes_wait_for_a_place_in_the_server() {
    let Some(server) = Server::start_tcp(&MAX_CLIENTS) else {
        return;
    };
    let address = server.tcp().with_db(1);
    let mut field = Field::on(server, address, Config::default());
    field.pops(40, KEY, Timeout::After(ms(300)));
    let ends = field.await_ends(40);
    check_all(&ends, 40, |end| matches!(end, End::Nil));
}

#[test]
fn command_gets_a_place_that_an_idle_connection_holds() {
    let mut config = Config::default();
    config.pool_timeout = secs(5);
    let Some(mut field) = Field::with(&MAX_CLIENTS, config) else {
        return;
    };
    // The places of the server, less that of the side.
    field.pops(19, KEY, Timeout::After(secs(5)));
    field.until("the places are taken", |field| field.side.blocked() >= 17);
    for number in 0..19 {
        field.side.ask(["RPUSH", KEY, &number.to_string()]);
    }
    let ends = field.await_ends(19);
    check_all(&ends, 19, |end| matches!(end, End::Popped(_)));
    let begin = Instant::now();
    field.reply::<()>(|redis, hub| redis.ping(hub)).unwrap();
    assert!(begin.elapsed() < secs(4), "{:?}", begin.elapsed());
}

#[test]
fn cancels_cost_one_pop_when_pops_hold_all_places() {
    let Some(mut field) = Field::start(&MAX_CLIENTS) else {
        return;
    };
    let tasks = field.pops(30, KEY, Timeout::Forever);
    field.until("all places are taken", |field| field.side.blocked() >= 17);
    field.pops_within(10, KEY, ms(300));
    field.hub.sleep(ms(100)).unwrap();
    tasks.iter().for_each(|&task| field.hub.kill(task));
    let ends = field.await_ends(40);
    field.hub.drain().unwrap();
    // No pop has released its connection: one is given up, so that the others can be asked about.
    let lost = field.counts().indeterminate;
    assert!(lost <= 1, "{lost}");
    let cancelled = ends.iter().filter(|end| matches!(end, End::Cancelled));
    assert!(cancelled.count() >= 39, "{ends:?}");
    // Its idle connections hold all places.
    field.redis.close(&mut field.hub);
    field.hub.drain().unwrap();
    field.check_that_nothing_is_lost(KEY, 5);
}
