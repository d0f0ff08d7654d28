//! How a connect and a listener can fail, and who is at the other end.

use super::*;

#[test]
fn a_connect_that_is_refused_is_told_by_the_first_write() {
    let (_bound, address) = refusing();
    let mut hub = Hub::new().unwrap();
    let stream = hub.connect(&Endpoint::Tcp(address)).unwrap();
    let wake = hub.wait(Wait::writable(stream).within(PATIENCE)).unwrap();
    assert!(matches!(wake, Wake::Ready), "{wake:?}");
    let error = hub.write(stream, b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
}

#[test]
fn a_unix_socket_that_is_not_there_is_told_by_connect() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    let error = hub.connect(&path_in(&folder)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(
        error.to_string().contains("socket"),
        "it names the path: {error}"
    );
}

#[test]
fn a_tcp_connect_to_a_full_backlog_ends_by_its_deadline() {
    let full = Full::tcp();
    let mut hub = Hub::new().unwrap();
    let stream = hub.connect(full.endpoint()).unwrap();
    let wake = hub.wait(Wait::writable(stream).within(ms(30))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn nothing_to_accept_is_not_an_error() {
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&any_port()).unwrap();
    assert_eq!(hub.accept(listener).unwrap(), None);
    let wake = hub.wait(Wait::acceptable(listener).within(ms(10))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn an_address_that_is_in_use_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    let _listener = hub.listen(&path_in(&folder)).unwrap();
    let error = hub.listen(&path_in(&folder)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("socket"), "{error}");
}

#[test]
fn both_ends_of_a_connection_name_each_other() {
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&any_port()).unwrap();
    let at = hub.local(listener).unwrap();
    let client = hub.connect(&at).unwrap();
    let ready = Wait::acceptable(listener).within(PATIENCE);
    assert!(matches!(hub.wait(ready).unwrap(), Wake::Ready));
    let server = hub.accept(listener).unwrap().unwrap();
    assert_eq!(hub.peer(client).unwrap(), at);
    assert!(matches!(hub.peer(server).unwrap(), Endpoint::Tcp(from) if Endpoint::Tcp(from) != at));
    hub.close_stream(server);
    let error = hub.peer(server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
}

#[test]
fn who_has_connected_to_a_unix_socket_has_no_name() {
    let folder = TempDir::new().unwrap();
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&path_in(&folder)).unwrap();
    let client = hub.connect(&path_in(&folder)).unwrap();
    let server = hub.accept(listener).unwrap().unwrap();
    assert_eq!(hub.peer(client).unwrap(), path_in(&folder));
    assert_eq!(hub.peer(server).unwrap(), Endpoint::Unix("".into()));
}
