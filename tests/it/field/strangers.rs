//! Peers that are no Redis: an element must never come of what they say, and the first connect is
//! enough to know it.

use super::*;
use greenroom::ErrorKind;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Accepts connections, and treats each as `serve` does. It ends with the process of the tests.
fn stranger(serve: fn(TcpStream)) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connects = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connects);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(std::io::Result::ok) {
            count.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || serve(stream));
        }
    });
    (port, connects)
}

/// Reads until the client closes.
fn hold(mut stream: TcpStream) {
    while let Ok(1..) = stream.read(&mut [0; 1024]) {}
}

fn say(mut stream: &TcpStream, bytes: &[u8]) {
    // The client may have closed already.
    let _ = stream.write_all(bytes);
}

/// Answers the first bytes that come, and closes.
fn answer_and_close(mut stream: TcpStream, bytes: &[u8]) {
    let _ = stream.read(&mut [0; 1024]);
    say(&stream, bytes);
    let _ = stream.shutdown(Shutdown::Write);
    hold(stream);
}

/// Two pops at `port`, one after the other, fail soon, with an error that says what is wrong in one
/// line.
#[track_caller]
fn pops_fail(port: u16) -> Error {
    let mut hub = Hub::new().unwrap();
    hub.on_error(|_| {});
    // How long a pop waits for a connection.
    let mut config = Config::default();
    config.pool_timeout = secs(6);
    let address = Address::tcp("127.0.0.1", port).unwrap();
    let redis = Redis::open_with(&mut hub, address, config).unwrap();
    let mut pop = || {
        let begin = Instant::now();
        let pop = redis.brpop(&mut hub, "jobs", Timeout::After(secs(1)));
        let end = End::of(hub.wait(pop.unwrap()).unwrap());
        assert!(begin.elapsed() < secs(5), "{:?}: {end:?}", begin.elapsed());
        let (End::Failed(error) | End::Indeterminate(error)) = end else {
            panic!("{end:?}");
        };
        let kinds = [ErrorKind::Connect, ErrorKind::Protocol];
        assert!(kinds.contains(&error.kind()), "{error:?}");
        assert!(!error.to_string().contains(char::is_control), "{error}");
        error
    };
    pop();
    pop()
}

/// Asserts that each of two pops has failed after one connect.
#[track_caller]
fn is_recognised(serve: fn(TcpStream)) -> Error {
    let (port, connects) = stranger(serve);
    let error = pops_fail(port);
    let connects = connects.load(Ordering::Relaxed);
    assert!(connects <= 2, "{connects} connects until {error:?}");
    error
}

#[test]
fn peer_that_greets_with_ok_is_recognised() {
    is_recognised(|stream| {
        say(&stream, b"+OK\r\n");
        hold(stream);
    });
}

#[test]
fn peer_that_greets_with_an_element_is_recognised() {
    is_recognised(|stream| {
        say(&stream, b"*2\r\n$4\r\njobs\r\n$1\r\nx\r\n");
        hold(stream);
    });
}

#[test]
fn ssh_server_is_recognised() {
    is_recognised(|stream| {
        say(&stream, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n");
        hold(stream);
    });
}

#[test]
fn echo_server_is_recognised() {
    is_recognised(|mut stream| {
        let mut chunk = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            say(&stream, &chunk[..count]);
        }
    });
}

#[test]
fn http_server_is_recognised() {
    is_recognised(|stream| {
        let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html>";
        answer_and_close(stream, answer);
    });
}

#[test]
fn tls_server_is_recognised() {
    // A fatal alert: unexpected message.
    let error = is_recognised(|stream| answer_and_close(stream, &[0x15, 3, 1, 0, 2, 2, 10]));
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[test]
fn server_that_answers_with_other_types_is_recognised() {
    is_recognised(|mut stream| {
        while let Ok(1..) = stream.read(&mut [0; 1024]) {
            say(&stream, b"+OK\r\n+OK\r\n");
        }
    });
}

/// Set in a process that has a network namespace with one ephemeral port.
const PORT: &str = "GREENROOM_TEST_ONLY_PORT";

/// Runs alone in a namespace of its own, see below.
#[test]
#[ignore = "it needs a network namespace with one ephemeral port"]
fn connect_to_itself_in_a_namespace() {
    let Ok(port) = std::env::var(PORT) else {
        return;
    };
    pops_fail(port.parse().unwrap());
}

#[test]
fn connect_to_itself_fails() {
    // A client that dials the only ephemeral port there is gets that port itself.
    let script = format!(
        "ip link set lo up && echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range || exit 77; \
         {PORT}=40000 exec \"$0\" --exact field::strangers::connect_to_itself_in_a_namespace --ignored --nocapture"
    );
    let test = std::env::current_exe().unwrap();
    let mut unshare = Process::new("unshare");
    unshare.args(["-r", "-n", "sh", "-c", &script]).arg(test);
    let Ok(output) = unshare.output() else {
        eprintln!("unshare is not installed: the test that needs it did not run");
        return;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if !said.contains("running 1 test") {
        eprintln!("there is no network namespace here: the test that needs it did not run");
        return;
    }
    assert!(output.status.success(), "{said}");
}
