//! The eighth: what it answers, and on how many connections it asks.

use super::*;
use std::io::{BufRead, BufReader};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// The example, and where it is.
pub(super) struct Site {
    pub(super) running: Running,
    at: SocketAddr,
}

impl Site {
    /// On a free port, with its own server.
    pub(super) fn open() -> Site {
        Site::with(&[])
    }

    /// With the Redis at this port.
    pub(super) fn on(port: u16) -> Site {
        Site::with(&["-p", &port.to_string()])
    }

    fn with(args: &[&str]) -> Site {
        let running = start(on_rung(8, &[&["-l", "0"], args].concat()));
        eventually("it listens", || running.out.so_far().contains('\n'));
        let said = running.out.so_far();
        let at = said.trim_end().strip_prefix("http://").expect(&said);
        let at = at.parse().unwrap();
        Site { running, at }
    }

    pub(super) fn client(&self) -> Client {
        let stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client(BufReader::new(stream))
    }

    /// A number of `/stats`.
    pub(super) fn stat(&self, name: &str) -> u64 {
        let answer = self.client().get("/stats");
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut fields = answer.body.lines().filter_map(|line| line.split_once(' '));
        let field = fields.find(|(field, _)| *field == name);
        field.expect(&answer.body).1.parse().unwrap()
    }
}

/// A connection of a client.
pub(super) struct Client(BufReader<TcpStream>);

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Client {
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    pub(super) fn ask(&mut self, target: &str) {
        self.send(request(target));
    }

    /// The next response; `None` when the connection ends instead.
    pub(super) fn hear(&mut self) -> Option<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).unwrap() == 0 {
                assert_eq!(head, "", "half a response");
                return None;
            }
        }
        let length = head.split("Content-Length: ").nth(1);
        let length = length.map_or(0, |rest| numbers(rest)[0] as usize);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Some(Answer {
            status: head["HTTP/1.1 ".len()..][..3].parse().unwrap(),
            head,
            body: String::from_utf8(body).unwrap(),
        })
    }

    pub(super) fn get(&mut self, target: &str) -> Answer {
        self.ask(target);
        self.hear().expect("the connection has ended")
    }

    /// The status, and the one line of the body.
    #[track_caller]
    fn gets(&mut self, target: &str, status: u16, line: &str) {
        let answer = self.get(target);
        assert_eq!((answer.status, &*answer.body), (status, line), "{answer:?}");
    }

    /// Asks these again and again, until nothing is taken from it any more: it does not read what it is answered.
    pub(super) fn never_listens(&mut self, targets: &[&str]) {
        let stream = self.0.get_mut();
        let all: String = targets.iter().map(|target| request(target)).collect();
        stream
            .set_write_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        while stream.write_all(all.as_bytes()).is_ok() {}
    }

    /// Says no more, but still listens.
    pub(super) fn fall_silent(&self) {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
    }
}

fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: here\r\n\r\n")
}

#[test]
fn each_request_asks_redis() {
    let site = Site::open();
    let mut client = site.client();
    client.gets("/get?hits", 404, "there is no such key\n");
    client.gets("/incr?hits", 200, "1\n");
    client.gets("/incr?hits", 200, "2\n");
    client.gets("/get?hits", 200, "2\n");
    client.gets("/pop?timeout=0.05", 204, "");
    client.gets("/push?one", 200, "1\n");
    client.gets("/push?two", 200, "2\n");
    client.gets("/pop", 200, "one\n");
    client.gets("/pop?timeout=60", 200, "two\n");
}

#[test]
fn pops_that_wait_at_the_same_time_have_a_connection_each() {
    let site = Site::open();
    let mut clients = [(); 3].map(|()| site.client());
    for client in &mut clients {
        client.ask("/pop?timeout=20");
    }
    eventually("three wait", || site.stat("in_use") == 3);
    for element in ["a", "b", "c"] {
        site.client().get(&format!("/push?{element}"));
    }
    let mut popped = clients.map(|mut client| client.hear().unwrap().body);
    popped.sort();
    assert_eq!(popped, ["a\n", "b\n", "c\n"]);
    let pool = ["created", "in_use", "available"].map(|name| site.stat(name));
    assert_eq!(pool, [3, 0, 3]);
}

#[test]
fn pops_one_after_the_other_have_one_connection_and_the_rest_none_of_these() {
    let site = Site::open();
    let mut client = site.client();
    for number in 1..=5 {
        client.gets("/incr?n", 200, &format!("{number}\n"));
    }
    assert_eq!(site.stat("created"), 0);
    for _ in 0..5 {
        client.gets("/pop?timeout=0.01", 204, "");
    }
    assert_eq!(site.stat("created"), 1);
    // The other one is shared.
    assert_eq!(site.stat("connects"), 2);
}

#[test]
fn a_request_may_come_in_pieces_and_several_in_one() {
    let site = Site::open();
    let mut client = site.client();
    for byte in request("/incr?n").bytes() {
        client.send([byte]);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.hear().unwrap().body, "1\n");

    let targets = [
        "/incr?n",
        "/pop?timeout=0.1",
        "/nowhere",
        "/incr?n",
        "/get?n",
    ];
    let mut all: String = targets.map(request).concat();
    let rest = all.split_off(all.len() - 7);
    client.send(&all);
    let answers: Vec<_> = (0..4).map(|_| client.hear().unwrap()).collect();
    client.send(&rest);
    let last = client.hear().unwrap();
    let statuses: Vec<u16> = answers.iter().chain([&last]).map(|it| it.status).collect();
    assert_eq!(statuses, [200, 204, 404, 200, 200]);
    assert_eq!((&*answers[3].body, &*last.body), ("3\n", "3\n"));
}

#[test]
fn more_requests_than_a_buffer_holds_are_answered_in_their_order() {
    let site = Site::open();
    let mut client = site.client();
    // The first holds the others up until the buffer is full.
    client.ask("/pop?timeout=0.2");
    client.send(request("/incr?n").repeat(1000));
    assert_eq!(client.hear().unwrap().status, 204);
    for number in 1..=1000 {
        assert_eq!(client.hear().unwrap().body, format!("{number}\n"));
    }
}

#[test]
fn what_is_not_understood_is_refused_and_the_connection_closed() {
    let site = Site::open();
    let endless = format!("GET / HTTP/1.1\r\nHost: here\r\nX: {}", "x".repeat(9000));
    let long = format!("{endless}\r\n\r\n");
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(100));
    for (bytes, status) in [
        ("nonsense\r\n\r\n", 400),
        ("\0\u{1}\u{2}", 400),
        ("GET /pop HTTP/9.9\r\nHost: here\r\n\r\n", 400),
        ("GET /pop HTTP/1.1\r\n\r\n", 400),
        (
            "GET /pop HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            400,
        ),
        (
            "GET /pop HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (
            "POST /push HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            405,
        ),
        (&endless, 431),
        (&long, 431),
        (&many, 431),
    ] {
        let mut client = site.client();
        client.send(bytes);
        let answer = client.hear().expect(bytes);
        assert_eq!(answer.status, status, "{bytes:?}: {answer:?}");
        assert!(answer.head.contains("Connection: close\r\n"), "{answer:?}");
        assert_eq!(answer.head.contains("Allow: GET\r\n"), status == 405);
        assert_eq!(answer.body.lines().count(), 1, "{answer:?}");
        assert!(client.hear().is_none(), "{bytes:?}");
    }
    // Nothing of it was done.
    assert_eq!(site.stat("connects"), 0);
}

#[test]
fn what_is_not_there_is_refused_and_the_connection_stays() {
    let site = Site::open();
    let mut client = site.client();
    for (target, status) in [
        ("/", 404),
        ("/pops", 404),
        ("/pop?timeout=x", 400),
        ("/pop?timeout=0", 400),
        ("/pop?timeout=-1", 400),
        ("/pop?timeout=inf", 400),
        ("/pop?timeout=NaN", 400),
        ("/pop?timeout=61", 400),
        ("/pop?time=1", 400),
    ] {
        let answer = client.get(target);
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert_eq!(answer.body.lines().count(), 1, "{answer:?}");
    }
    client.gets("/incr?n", 200, "1\n");
}

#[test]
fn a_connection_ends_when_its_client_has_said_so() {
    let site = Site::open();
    for asks in [
        "GET /incr?n HTTP/1.1\r\nHost: here\r\nConnection: keep-me, Close\r\n\r\n",
        "GET /incr?n HTTP/1.0\r\n\r\n",
    ] {
        let mut client = site.client();
        client.send(asks);
        let answer = client.hear().unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("Connection: close\r\n"), "{answer:?}");
        assert!(client.hear().is_none());
    }
}

#[test]
fn a_redis_that_is_not_there_is_no_end() {
    let site = Site::on(free_port());
    let mut client = site.client();
    for target in ["/incr?n", "/pop", "/push?x"] {
        let answer = client.get(target);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.body.lines().count(), 1, "{answer:?}");
    }
    assert_eq!(client.get("/stats").status, 200);
}
