//! The file of a UNIX socket: it comes and goes with its listener.

use super::*;

#[test]
fn a_unix_socket_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // This kind of listener leaves its file.
    drop(UnixListener::bind(socket_in(&folder)).unwrap());
    assert!(socket_in(&folder).exists());
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&path_in(&folder)).unwrap();
    UnixStream::connect(socket_in(&folder)).unwrap();
    let wake = hub.wait(Wait::acceptable(listener).within(PATIENCE));
    assert!(matches!(wake.unwrap(), Wake::Ready));
    assert!(hub.accept(listener).unwrap().is_some());
}

#[test]
fn a_unix_socket_that_somebody_listens_on_is_left_to_him() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = UnixListener::bind(socket_in(&folder)).unwrap();
    let full = Full::unix();
    let mut hub = Hub::new().unwrap();
    for at in [&path_in(&folder), full.endpoint()] {
        let error = hub.listen(at).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("in use"), "{error}");
    }
    drop(hub);
    UnixStream::connect(socket_in(&folder)).unwrap();
    // Who asked whether he is there, and the one that came now.
    theirs.accept().unwrap();
    theirs.accept().unwrap();
}

#[test]
fn a_file_that_is_no_unix_socket_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    drop(UnixListener::bind(&left).unwrap());
    let mut hub = Hub::new().unwrap();

    fs::write(socket_in(&folder), "dear").unwrap();
    hub.listen(&path_in(&folder)).unwrap_err();
    assert_eq!(fs::read(socket_in(&folder)).unwrap(), b"dear");

    fs::remove_file(socket_in(&folder)).unwrap();
    symlink(&left, socket_in(&folder)).unwrap();
    hub.listen(&path_in(&folder)).unwrap_err();
    assert_eq!(fs::read_link(socket_in(&folder)).unwrap(), left);
    assert!(left.exists());
}

#[test]
fn the_file_of_a_unix_socket_goes_with_its_listener() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&path_in(&folder)).unwrap();
    assert!(socket_in(&folder).exists());
    hub.close_listener(listener);
    hub.turn().unwrap();
    assert!(!socket_in(&folder).exists(), "it was closed");

    let at = path_in(&folder);
    let task = hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(Wait::acceptable(hub.listen(&at)?)),
        _ => Ok(Wait::done()),
    });
    hub.turn().unwrap();
    assert!(socket_in(&folder).exists());
    hub.kill(task);
    hub.turn().unwrap();
    assert!(!socket_in(&folder).exists(), "its task has ended");

    hub.listen(&path_in(&folder)).unwrap();
    assert!(socket_in(&folder).exists());
    drop(hub);
    assert!(!socket_in(&folder).exists(), "its hub is gone");
}

#[test]
fn a_file_that_stands_where_that_of_a_unix_socket_stood_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    hub.listen(&path_in(&folder)).unwrap();
    fs::remove_file(socket_in(&folder)).unwrap();
    let theirs = UnixListener::bind(socket_in(&folder)).unwrap();
    drop(hub);
    UnixStream::connect(socket_in(&folder)).unwrap();
    theirs.accept().unwrap();
}
