//! A browser, driven through WebDriver: HTTP requests with JSON, to Debian's `chromedriver`, which runs Debian's `chromium` without a window.
//!
//! A client of this protocol is as small as what it is used for, and needs no runtime of its own.

use crate::server::free_port;
use jzon::{JsonValue, array, object};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page. It ends with its handle.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// `None` where there is no browser.
    pub(super) fn start() -> Option<Browser> {
        let is_there = |program| Command::new(program).arg("--version").output().is_ok();
        if !is_there("chromium") || !is_there("chromedriver") {
            missing();
            return None;
        }
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser {
            driver,
            port,
            session: String::new(),
            profile,
        };
        browser.begin();
        Some(browser)
    }

    fn begin(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "chromedriver does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        // Whoever tests may be root, for whom the sandbox does not work; the page is our own.
        let flags = array![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            profile.as_str(),
        ];
        let session = object! {
            "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": { "args": flags },
                "goog:loggingPrefs": { "browser": "ALL" },
            } }
        };
        let begun = self.ask("POST", "/session", &session);
        self.session = format!("/session/{}", begun["sessionId"].as_str().unwrap());
    }

    /// Opens a file.
    pub(super) fn open(&self, path: &Path) {
        let url = format!("file://{}", path.display());
        self.post("/url", &object! { "url": url });
    }

    /// What a script returns.
    pub(super) fn run(&self, script: &str) -> JsonValue {
        self.post("/execute/sync", &object! { "script": script, "args": [] })
    }

    /// Waits until a script returns true.
    #[track_caller]
    pub(super) fn until(&self, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(&format!("return {script}")) != true {
            assert!(
                Instant::now() < deadline,
                "this has not come true: {script}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Moves the mouse to a place, and does something there: items of the actions of a pointer.
    pub(super) fn mouse(&self, (x, y): (i64, i64), then: JsonValue) {
        let mut actions = array![object! {
            "type": "pointerMove", "duration": 0, "x": x, "y": y, "origin": "viewport",
        }];
        for action in then.members() {
            actions.push(action.clone()).unwrap();
        }
        let source = object! {
            "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions,
        };
        self.act(source);
    }

    /// Turns the wheel at a place.
    pub(super) fn wheel(&self, (x, y): (i64, i64), by: i64) {
        let turn = object! {
            "type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by, "duration": 0, "origin": "viewport",
        };
        self.act(object! { "type": "wheel", "id": "wheel", "actions": [turn] });
    }

    /// Two fingers that are put down beside a place and move apart.
    pub(super) fn pinch(&self, (x, y): (i64, i64), by: i64) {
        let finger = |name: &str, side: i64| {
            let to = |x: i64, duration: u32| {
                object! { "type": "pointerMove", "duration": duration, "x": x, "y": y, "origin": "viewport" }
            };
            object! {
                "type": "pointer", "id": name, "parameters": { "pointerType": "touch" },
                "actions": [
                    to(x + side * 40, 0), { "type": "pointerDown", "button": 0 },
                    to(x + side * (40 + by), 100), { "type": "pointerUp", "button": 0 },
                ],
            }
        };
        self.post(
            "/actions",
            &object! { "actions": [finger("one", -1), finger("two", 1)] },
        );
    }

    pub(super) fn key(&self, key: &str) {
        let actions = array![
            object! { "type": "keyDown", "value": key },
            object! { "type": "keyUp", "value": key },
        ];
        self.act(object! { "type": "key", "id": "keys", "actions": actions });
    }

    fn act(&self, source: JsonValue) {
        self.post("/actions", &object! { "actions": [source] });
    }

    /// What a media feature of the system says from now on.
    pub(super) fn prefers(&self, scheme: &str) {
        let features = array![object! { "name": "prefers-color-scheme", "value": scheme }];
        self.post(
            "/goog/cdp/execute",
            &object! { "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } },
        );
    }

    /// A picture of what is seen, as a file. It is a PNG, which comes in base 64.
    pub(super) fn picture(&self, path: &Path) {
        let picture = self.ask("GET", &format!("{}/screenshot", self.session), &object! {});
        fs::write(path, from_base64(picture.as_str().unwrap())).unwrap();
    }

    /// What the page has said on its console, errors of its own included.
    pub(super) fn console(&self) -> Vec<String> {
        let log = self.post("/se/log", &object! { "type": "browser" });
        log.members().map(ToString::to_string).collect()
    }

    fn post(&self, what: &str, body: &JsonValue) -> JsonValue {
        self.ask("POST", &format!("{}{what}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &JsonValue) -> JsonValue {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = if method == "GET" {
            String::new()
        } else {
            body.dump()
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let reply = read_reply(&mut stream);
        let mut reply = jzon::parse(&reply).unwrap_or_else(|_| panic!("{path}: {reply}"));
        let value = reply["value"].take();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // So the browser ends too, which is no child of ours.
        if !self.session.is_empty() && !thread::panicking() {
            self.ask("DELETE", &self.session, &object! {});
        }
        let _ = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.driver.id())])
            .status();
        let _ = self.driver.wait();
    }
}

/// The body of a reply, as long as its header says.
fn read_reply(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let (_, length) = head.split_once("content-length:").expect("a length");
            let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
            if body.len() >= length {
                return body.to_owned();
            }
        }
        let count = stream.read(&mut chunk).unwrap();
        assert_ne!(count, 0, "half a reply: {text}");
        bytes.extend_from_slice(&chunk[..count]);
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    let value = |char: u8| match char {
        b'A'..=b'Z' => char - b'A',
        b'a'..=b'z' => char - b'a' + 26,
        b'0'..=b'9' => char - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four
            .iter()
            .fold(0_u32, |bits, &char| bits << 6 | u32::from(value(char)));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}

/// Says that a test did not run for want of a browser.
fn missing() {
    let required = std::env::var_os("GREENROOM_REQUIRE_BROWSER").is_some_and(|it| it == "1");
    let message = "chromium or chromedriver is not installed: the tests that need them did not run";
    assert!(!required, "{message}");
    // To the real stream: what a test that passes prints is not shown.
    let _ = writeln!(std::io::stderr(), "{message}");
}
