//! Replies and their types.
//!
//! What keeps a server busy for long has one of its own: on the shared one, it would be the others who
//! are late.

use super::*;

#[test]
fn replies_become_the_types_that_a_program_asks_for() {
    let Some(mut live) = live() else { return };
    live.get::<()>(|redis, hub| redis.set(hub, "type:text", "grün"));
    assert_eq!(
        live.get::<String>(|redis, hub| redis.get(hub, "type:text")),
        "grün"
    );
    assert_eq!(
        live.get::<Option<Bytes>>(|redis, hub| redis.get(hub, "type:none")),
        None
    );
    assert_eq!(
        live.get::<i64>(|redis, hub| redis.rpush(hub, "type:list", [1, 2, 3])),
        3
    );
    assert_eq!(
        live.get::<i64>(|redis, hub| redis.lpush(hub, "type:list", "0")),
        4
    );
    assert_eq!(
        live.send::<Vec<u32>>("LRANGE", &["type:list", "0", "-1"]),
        [0, 1, 2, 3]
    );
    assert!(live.send::<bool>("EXISTS", &["type:list"]));
    assert_eq!(live.send::<u16>("INCRBY", &["type:number", "7"]), 7);
    assert_eq!(
        live.get::<u16>(|redis, hub| redis.get(hub, "type:number")),
        7
    );
    assert_eq!(live.get::<String>(|redis, hub| redis.ping(hub)), "PONG");
}

#[test]
fn a_hash_and_a_sorted_set_become_pairs_in_both_protocols() {
    let Some(server) = Server::shared() else {
        return;
    };
    let mut side = server.side();
    side.ask(["HSET", "pairs:hash", "a", "1", "b", "2"]);
    side.ask(["ZADD", "pairs:set", "1.5", "x", "-inf", "y"]);
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut live = Live::new(&server, server.unix().with_protocol(protocol));
        let hash: BTreeMap<String, u32> = live.send("HGETALL", &["pairs:hash"]);
        assert_eq!(hash, BTreeMap::from([("a".into(), 1), ("b".into(), 2)]));
        let range = ["pairs:set", "0", "-1", "WITHSCORES"];
        let set: Vec<(String, f64)> = live.send("ZRANGE", &range);
        assert_eq!(set, [("y".into(), f64::NEG_INFINITY), ("x".into(), 1.5)]);
    }
}

#[test]
fn protocol_3_brings_its_own_types_of_replies() {
    let Some(server) = Server::shared() else {
        return;
    };
    let address = format!("{}?protocol=3", server.unix()).parse().unwrap();
    let mut live = Live::new(server, address);
    live.send::<()>("ZADD", &["three:set", "2.5", "member"]);
    let score: Value = live.send("ZSCORE", &["three:set", "member"]);
    assert_eq!(score, Value::Double(2.5));
    let setting: Value = live.send("CONFIG", &["GET", "maxmemory-policy"]);
    let expected = ("maxmemory-policy".into(), "noeviction".into());
    assert_eq!(
        setting,
        Value::Map(vec![(Value::Bulk(expected.0), Value::Bulk(expected.1))])
    );
    let info: Value = live.send("INFO", &["server"]);
    assert!(matches!(info, Value::Verbatim { format, .. } if &format == b"txt"));
    let missing: Value = live.get(|redis, hub| redis.get(hub, "three:none"));
    assert_eq!(missing, Value::Null);
    let popped: Value = live.get(|redis, hub| redis.bzpop(hub, "three:set", Rank::Min, SOON));
    assert_eq!(popped.as_slice().unwrap()[2], Value::Double(2.5));
}

#[test]
fn any_byte_survives_the_way_there_and_back() {
    let Some(mut live) = live() else { return };
    let all: Vec<u8> = (0..=255).chain(*b"\r\n$3\r\n").collect();
    live.get::<()>(|redis, hub| redis.set(hub, &all, &all));
    assert_eq!(live.get::<Vec<u8>>(|redis, hub| redis.get(hub, &all)), all);
}

#[test]
fn a_value_of_64_mib_survives_the_way_there_and_back() {
    const BYTES: usize = 64 << 20;
    // The period is a prime: a piece that was lost or came twice would shift the pattern.
    let pattern: Vec<u8> = (0..251).collect();
    let mut big = pattern.repeat(BYTES.div_ceil(pattern.len()));
    big.truncate(BYTES);
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    on_both_of(Arc::new(server), |live, kind| {
        let key = format!("big:{kind}");
        live.get::<()>(|redis, hub| redis.set(hub, &key, &big));
        let back: Bytes = live.get(|redis, hub| redis.get(hub, &key));
        assert!(back == big, "{} bytes came back", back.len());
    });
}

#[test]
fn a_reply_of_a_hundred_thousand_elements_is_whole() {
    let Some(mut live) = private(&[]) else { return };
    let fill = "for i = 1, 100000 do redis.call('RPUSH', KEYS[1], i) end";
    live.server.side().ask(["EVAL", fill, "1", "long"]);
    let long: Vec<u32> = live.send("LRANGE", &["long", "0", "-1"]);
    assert!(long.into_iter().eq(1..=100_000));
}
