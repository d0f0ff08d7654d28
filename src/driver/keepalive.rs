//! TCP keepalive: how a connection on which nobody speaks finds out that the other machine is gone.
//!
//! TCP notices a peer that vanishes only when it has something to send. Who waits for the reply to a blocking pop has
//! not. With keepalive the kernel sends empty segments after a while of silence, and when nobody acknowledges them, breaks
//! the connection, as if the peer had reset it. No byte of it reaches the server's program.
//!
//! The kernel keeps the time, and no task is woken for it.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// What Linux takes at most (`MAX_TCP_KEEPIDLE`), and all at least.
const IDLE_MAX: Duration = Duration::from_secs(32_767);
const IDLE_MIN: Duration = Duration::from_secs(1);

/// Two might be lost.
const PROBES: u32 = 3;

/// Has the kernel ask the peer after `idle`, and as often as it takes to make it twice that.
pub(super) fn set(socket: &impl AsFd, idle: Duration) -> io::Result<()> {
    let idle = idle.clamp(IDLE_MIN, IDLE_MAX);
    let keepalive = TcpKeepalive::new()
        .with_time(idle)
        .with_interval((idle / PROBES).max(IDLE_MIN))
        .with_retries(PROBES);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{ms, secs};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_kernel_is_told_whole_seconds_that_it_takes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = SockRef::from(&stream);
        assert!(!socket.keepalive().unwrap());
        for (idle, expected, interval) in [
            (secs(60), secs(60), secs(20)),
            (ms(2_900), secs(2), secs(1)),
            (Duration::ZERO, secs(1), secs(1)),
            (Duration::MAX, secs(32_767), secs(10_922)),
        ] {
            set(&stream, idle).unwrap();
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), expected);
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), interval);
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), PROBES);
        }
    }
}
