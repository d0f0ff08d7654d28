//! Timelines: what page and trace say of a run, and what they may take.

use greenroom::driver::Endpoint;
use greenroom::server::{self, Server};
use greenroom::sim::Sim;
use greenroom::timeline::Timeline;
use greenroom::{Hub, Redis, Timeout, Wait, Wake, ms, secs};
use jzon::JsonValue;
use std::collections::BTreeMap;

const POPS: usize = 500;

/// A simulated run of so many pops and a cron task, as the main example has it.
fn run(timeline: &Timeline, pops: usize) -> Hub {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let mut config = server::Config::default();
    config.max_clients = pops + 1;
    let server = Server::new(&mut hub, config);
    let at = "127.0.0.1:6379".parse().unwrap();
    server.listen(&mut hub, &Endpoint::Tcp(at)).unwrap();
    let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379").unwrap();
    sim.set_faults("latency".parse().unwrap());
    hub.observe(timeline.recorder());
    let cron = hub.every(ms(200), |_, _| Ok(()));
    let pops: Vec<_> = (0..pops)
        .map(|_| {
            hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.brpop(hub, "list", Timeout::After(secs(1))),
                _ => Ok(Wait::done()),
            })
        })
        .collect();
    hub.join_all(&pops).unwrap();
    hub.kill(cron);
    hub.turn().unwrap();
    hub
}

fn page(timeline: &Timeline) -> String {
    let mut page = Vec::new();
    timeline.write_html(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// What stands in the page for its program.
fn data(page: &str) -> JsonValue {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    jzon::parse(data).unwrap()
}

fn trace(timeline: &Timeline) -> JsonValue {
    let mut trace = Vec::new();
    timeline.write_trace(&mut trace).unwrap();
    jzon::parse(std::str::from_utf8(&trace).unwrap()).unwrap()
}

fn numbers(list: &JsonValue) -> Vec<i64> {
    list.members().map(|it| it.as_i64().unwrap()).collect()
}

#[test]
fn the_page_has_every_pop_of_the_run() {
    let timeline = Timeline::new();
    let hub = run(&timeline, POPS);
    let data = data(&page(&timeline));
    let totals = &data["totals"];
    assert_eq!(totals["nil"].as_usize(), Some(POPS));
    assert_eq!(totals["turns"].as_u64(), Some(hub.stats().turns));
    assert_eq!(totals["inFlight"].as_usize(), Some(POPS));
    assert_eq!(data["conns"].len(), POPS);
    let codes: Vec<_> = data["codes"].members().collect();
    let code = |name: &str| codes.iter().position(|it| *it == name).unwrap() as i64;
    for lane in data["conns"].members() {
        let lane = numbers(lane);
        let marks: Vec<_> = lane[3..].chunks(3).map(|mark| mark[1]).collect();
        for once in ["dialed", "connected", "ready", "sent", "nil", "idle"] {
            let count = marks.iter().filter(|&&it| it == code(once)).count();
            assert_eq!(count, 1, "{once} in {marks:?}");
        }
        let span: i64 = lane[3..].chunks(3).map(|mark| mark[0]).sum();
        assert!(span <= data["span"].as_i64().unwrap(), "{lane:?}");
    }
    // Five ticks, of four numbers each, behind the task.
    let cron = numbers(&data["crons"][0]);
    assert_eq!(cron.len() % 4, 1, "{cron:?}");
    assert_eq!(Some(cron.len() / 4), totals["ticks"].as_usize());
    assert_eq!(data["turns"].len(), 5 * totals["turns"].as_usize().unwrap());
    assert_eq!(data["texts"]["commands"][0], "BRPOP");
}

#[test]
fn a_page_loads_nothing() {
    let timeline = Timeline::new();
    run(&timeline, 3);
    let page = page(&timeline).to_lowercase();
    for what in [
        "http:", "https:", "//cdn", " src=", "@import", "url(", "fetch(", "import(",
    ] {
        assert!(!page.contains(what), "{what} is in the page");
    }
    let scripts = page.matches("<script").count();
    assert_eq!(scripts, page.matches("</script>").count());
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn no_text_leaves_its_place() {
    let timeline = Timeline::new();
    timeline.set_title("</title><script>alert(1)</script>&");
    let mut hub = Hub::new().unwrap();
    hub.observe(timeline.recorder());
    let redis = Redis::open(&mut hub, "unix:///nowhere/</script><script>alert(2)").unwrap();
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    hub.wait(asked).unwrap().reply().unwrap_err();
    let page = page(&timeline);
    assert!(!page.contains("<script>alert"), "{page}");
    let to = data(&page)["texts"]["to"][0].to_string();
    assert!(to.contains("</script><script>alert(2)"), "{to}");
    trace(&timeline);
}

#[test]
fn a_trace_is_one_by_the_format() {
    let timeline = Timeline::new();
    run(&timeline, POPS);
    let trace = trace(&timeline);
    let mut threads: BTreeMap<u64, f64> = BTreeMap::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let (mut most, mut blocked) = (0, 0);
    for event in trace["traceEvents"].members() {
        let kind = event["ph"].as_str().unwrap();
        *kinds.entry(kind.to_owned()).or_default() += 1;
        assert_eq!(event["pid"].as_u64(), Some(1), "{event}");
        assert!(
            event["name"].is_string() && event["args"].is_object(),
            "{event}"
        );
        let (thread, at) = (
            event["tid"].as_u64().unwrap(),
            event["ts"].as_f64().unwrap(),
        );
        let before = threads.insert(thread, at).unwrap_or(0.0);
        assert!(at >= before, "{event} comes after {before}");
        match kind {
            "X" => {
                assert!(event["dur"].as_f64() >= Some(0.0), "{event}");
                blocked += usize::from(event["args"]["command"] == "BRPOP");
            }
            "i" => assert_eq!(event["s"], "t"),
            "C" => most = most.max(event["args"]["in flight"].as_usize().unwrap()),
            "M" => {}
            other => panic!("{other}: {event}"),
        }
    }
    assert_eq!((most, blocked), (POPS, POPS));
    assert_eq!(kinds["i"], 5, "{kinds:?}");
    // Threads: the process itself, turns, cron, connections.
    assert_eq!(threads.len(), 3 + POPS);
}

#[test]
fn what_does_not_fit_is_dropped_from_the_middle_and_told() {
    let timeline = Timeline::with_limit(1000);
    run(&timeline, POPS);
    assert_eq!(timeline.len(), 1000);
    assert!(timeline.dropped() > 1000, "{timeline:?}");
    let data = data(&page(&timeline));
    assert_eq!(data["dropped"][0].as_u64(), Some(timeline.dropped()));
    let (from, to) = (data["dropped"][1].as_u64(), data["dropped"][2].as_u64());
    assert!(from <= to && to <= data["span"].as_u64(), "{data}");
    assert_eq!(
        data["totals"]["nil"].as_usize(),
        Some(POPS),
        "figures count all"
    );
    assert!(data["conns"].len() > 10);
    trace(&timeline);
}

#[test]
fn who_takes_a_limit_of_nothing_gets_a_small_one() {
    let timeline = Timeline::with_limit(0);
    assert!(timeline.is_empty());
    run(&timeline, 20);
    assert_eq!(timeline.len(), 16);
}

#[test]
fn an_empty_record_is_a_page_and_a_trace() {
    let timeline = Timeline::default();
    assert_eq!(data(&page(&timeline))["conns"].len(), 0);
    assert!(!trace(&timeline)["traceEvents"].is_empty());
}

#[test]
fn nothing_is_recorded_after_the_end() {
    let timeline = Timeline::new();
    let mut hub = run(&timeline, 3);
    hub.stop_observing();
    let marks = timeline.len();
    hub.sleep(ms(1)).unwrap();
    assert_eq!(timeline.len(), marks);
}
