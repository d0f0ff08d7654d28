//! The timeline's page in a real browser, with runs of the main example: of 500 pops on real sockets, and of 10,000 simulated ones,
//! which need no open files.
//!
//! A machine without Debian's `chromium` and `chromium-driver` cannot run these tests. They say so and pass, unless
//! `GREENROOM_REQUIRE_BROWSER=1`. With `GREENROOM_PICTURES=page.html` the pictures of the documents are taken anew, of that
//! page.

mod driver;

use self::driver::Browser;
use crate::program::run_to_page;
use crate::server::by_the_clock;
use jzon::{JsonValue, array, object};
use std::path::{Path, PathBuf};

/// Where the picture's lanes begin on the screen, and how high and wide the picture is.
struct Places {
    left: i64,
    lanes: i64,
    right: i64,
}

fn number(value: &JsonValue) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "dots of a screen")]
    let number = value.as_f64().map(|number| number as i64);
    number.or_else(|| value.as_str()?.parse().ok()).unwrap()
}

/// Opens the page of a run of so many pops, waits until it is drawn, and says how long that took in milliseconds.
fn open(browser: &Browser, page: &Path) -> i64 {
    browser.open(page);
    browser.until("!!document.getElementById('picture').dataset.painted");
    browser.until("performance.getEntriesByName('first-contentful-paint').length > 0");
    let painted = "return performance.getEntriesByName('first-contentful-paint')[0].startTime";
    number(&browser.run(painted))
}

fn state(browser: &Browser, name: &str) -> i64 {
    number(&browser.run(&format!(
        "return document.getElementById('picture').dataset.{name}"
    )))
}

fn text(browser: &Browser, id: &str) -> String {
    let text = browser.run(&format!("return document.getElementById('{id}').innerText"));
    text.as_str().unwrap().to_owned()
}

fn places(browser: &Browser) -> Places {
    let read = |what: &str| number(&browser.run(&format!("return {what}")));
    browser.run("document.getElementById('picture').scrollIntoView()");
    Places {
        left: read("document.getElementById('picture').getBoundingClientRect().left"),
        lanes: read("document.getElementById('rows').getBoundingClientRect().top"),
        right: read("document.getElementById('rows').getBoundingClientRect().right"),
    }
}

/// What a key, a button or a drag does is drawn with the next frame.
fn until_moved(browser: &Browser, name: &str, before: i64) {
    browser.until(&format!(
        "Number(document.getElementById('picture').dataset.{name}) !== {before}"
    ));
}

#[test]
fn five_hundred_pops_are_shown_moved_and_found() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let page = run_to_page(500);
    let first_paint = open(&browser, &page.path);
    assert!(first_paint < 2000, "{first_paint} ms");
    assert_eq!(state(&browser, "lanes"), 500);
    assert!(state(&browser, "drawn") > 100);
    let figures = text(&browser, "figures");
    assert!(
        figures.contains("500 nil") && figures.contains(" ticks"),
        "{figures}"
    );
    assert!(text(&browser, "legend").contains("B: a command is with the server"));
    is_drawn(&browser);
    zooms_and_pans(&browser);
    tells_what_is_there(&browser);
    finds_a_task(&browser);
    takes_either_light(&browser);
    assert_eq!(browser.console(), Vec::<String>::new());
    take_pictures(&browser);
}

/// The canvas has many dots in the colour of blocked pops.
fn is_drawn(browser: &Browser) {
    let dots = browser.run(
        "const canvas = document.getElementById('lanes'), pen = canvas.getContext('2d'); \
         const dots = pen.getImageData(0, 0, canvas.width, canvas.height).data; \
         const middle = (canvas.height >> 1) * canvas.width + (canvas.width >> 1); \
         const colour = dots.slice(4 * middle, 4 * middle + 3).join(); let same = 0; \
         for (let i = 0; i < dots.length; i += 4) same += dots.slice(i, i + 3).join() === colour; \
         return [same / (dots.length / 4), dots[4 * middle + 3]]",
    );
    assert!(dots[0].as_f64() > Some(0.5) && dots[1] == 255, "{dots}");
}

fn zooms_and_pans(browser: &Browser) {
    let at = places(browser);
    let middle = ((at.left + at.right) / 2, at.lanes + 50);
    let width = || state(browser, "to") - state(browser, "from");
    let all = width();
    browser.wheel(middle, -400);
    browser.until(&format!(
        "document.getElementById('picture').dataset.to - document.getElementById('picture').dataset.from < {}", all * 2 / 3
    ));
    let (from, zoomed) = (state(browser, "from"), width());
    let drag = array![
        object! { "type": "pointerDown", "button": 0 },
        object! { "type": "pointerMove", "duration": 50, "x": -200, "y": 0, "origin": "pointer" },
        object! { "type": "pointerUp", "button": 0 },
    ];
    browser.mouse(middle, drag);
    until_moved(browser, "from", from);
    assert!(state(browser, "from") > from && (width() - zoomed).abs() <= 2);
    browser.run("document.getElementById('picture').focus()");
    for (key, name) in [
        ("+", "to"),
        ("\u{e012}", "from"),
        ("-", "to"),
        ("\u{e010}", "to"),
        ("\u{e011}", "from"),
    ] {
        let before = state(browser, name);
        browser.key(key);
        until_moved(browser, name, before);
    }
    assert!(state(browser, "from") <= 0, "Home goes to the beginning");
    browser.key("0");
    browser.until(&format!(
        "document.getElementById('picture').dataset.to - document.getElementById('picture').dataset.from >= {all}"
    ));
    browser.pinch(middle, 150);
    browser.until(&format!(
        "document.getElementById('picture').dataset.to - document.getElementById('picture').dataset.from < {}", all / 2
    ));
    let before = state(browser, "from");
    browser.run("document.querySelector('[data-do=all]').click()");
    until_moved(browser, "from", before);
}

fn tells_what_is_there(browser: &Browser) {
    let at = places(browser);
    browser.mouse(((at.left + at.right) / 2, at.lanes + 5), array![]);
    browser.until("!document.getElementById('hover').hidden");
    let told = text(browser, "hover");
    for what in [
        "conn ",
        "blocked BRPOP",
        "task ",
        "concurrent_brpop.rs",
        "127.0.0.1",
    ] {
        assert!(told.contains(what), "{what} is not in {told}");
    }
    // The lane of turns stands two above; at most places the hub sleeps.
    browser.mouse(((at.left + at.right) / 2 + 30, at.lanes - 36), array![]);
    browser.until("/turn|sleeps/.test(document.getElementById('hover').innerText)");
}

fn finds_a_task(browser: &Browser) {
    let search = |text: &str| {
        browser.run(&format!(
            "const search = document.getElementById('search'); search.value = '{text}'; \
             search.dispatchEvent(new Event('input'))"
        ))
    };
    // A task that has had a lane, by its own name.
    let name = browser.run("return taskOf(all.lanes[321].tasks.find(task => task >= 0)).name");
    let name = name.as_str().unwrap();
    search(name);
    until_moved(browser, "marked", -1);
    assert_eq!(state(browser, "marked"), 321);
    assert!(state(browser, "top") > 0, "it is scrolled to");
    assert!(state(browser, "drawn") < 100, "only what is seen is drawn");
    assert!(text(browser, "found").contains("conn"));
    search("999999.1");
    browser.until("document.getElementById('picture').dataset.marked === '-1'");
    assert!(text(browser, "found").contains("no lane"));
    search("");
}

fn takes_either_light(browser: &Browser) {
    let ground = "return getComputedStyle(document.body).backgroundColor";
    browser.prefers("light");
    let light = browser.run(ground);
    browser.prefers("dark");
    let dark = browser.run(ground);
    assert_ne!(light, dark);
    browser.run("document.getElementById('theme').click()");
    assert_eq!(browser.run(ground), light);
    browser.run("document.getElementById('theme').click()");
    assert_eq!(browser.run(ground), dark);
    browser.prefers("light");
}

/// For the documents, of the page that is named.
fn take_pictures(browser: &Browser) {
    let Some(page) = std::env::var_os("GREENROOM_PICTURES") else {
        return;
    };
    let images: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "docs", "images"]
        .iter()
        .collect();
    for light in ["light", "dark"] {
        browser.prefers(light);
        open(browser, Path::new(&page));
        browser.picture(&images.join(format!("timeline-{light}.png")));
    }
}

#[test]
fn ten_thousand_lanes_are_there_within_two_seconds() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let page = run_to_page(10_000);
    by_the_clock(|| {
        let first_paint = open(&browser, &page.path);
        eprintln!("10,000 lanes: first paint after {first_paint} ms");
        assert!(first_paint < 2000, "{first_paint} ms");
    });
    assert_eq!(state(&browser, "lanes"), 10_000);
    // One lane for each line of dots, not ten thousand.
    let drawn = state(&browser, "drawn");
    assert!((100..1500).contains(&drawn), "{drawn}");
    let frame = browser.run(
        "const begin = performance.now(); for (let i = 0; i < 20; i++) { zoom(0.9); draw(); } \
         return (performance.now() - begin) / 20",
    );
    eprintln!("10,000 lanes: {frame} ms for a frame");
    assert!(frame.as_f64() < Some(100.0), "{frame} ms for a frame");
    finds_a_task(&browser);
    assert_eq!(browser.console(), Vec::<String>::new());
}
