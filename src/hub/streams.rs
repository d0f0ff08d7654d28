//! Streams and listeners, for tasks that do their own input and output.
//!
//! The kernel reports edges: that a socket *became* readable, once. The hub turns this into a level
//! that a task can ask for at any time: each stream remembers whether it may be readable and writable,
//! until a read or write finds out that it is not. A task therefore never loses an edge, even if it
//! comes while the task does something else.
//!
//! A stream belongs to the task that made it, and is closed when that task ends, however it ends.
//! [`Hub::hand_over`] gives it to another task: what an accept loop does with a new connection.

use super::ids::{Handle, Listener, Stream, TaskId};
use super::ports::closed;
use super::{Hub, Result};
use crate::client::connect_error;
use crate::driver::{Connect, Endpoint, is_not_yet};
use crate::error::{Error, ErrorKind};
use std::io;

impl Hub {
    /// Starts to connect. The stream becomes [writable](super::Wait::writable) when the connect has
    /// ended; the first [`write`](Hub::write) then tells how.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`] when it cannot even be started: a UNIX socket that is not there or whose
    /// backlog is full, no descriptors.
    pub fn connect(&mut self, peer: &Endpoint) -> Result<Stream> {
        let connected = |error| connect_error(peer, error);
        let key = self.add_port(|driver, owner| match driver.connect(peer, owner, &[])? {
            Connect::Done(socket, _) => Ok((socket, true)),
            Connect::Started(socket) => Ok((socket, false)),
        });
        key.map(Stream).map_err(connected)
    }

    /// Listens. Port 0 takes any free port, see [`local`](Hub::local). The file of a UNIX socket is
    /// removed when the listener is closed, and one that was left behind by a process that was killed
    /// is replaced.
    ///
    /// ```
    /// # use greenroom::{Endpoint, Hub, Wait, Wake, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// let at = Endpoint::Tcp(([127, 0, 0, 1], 7000).into());
    /// let listener = hub.listen(&at)?;
    /// let connected = hub.connect(&at)?;
    /// let wake = hub.wait(Wait::acceptable(listener))?;
    /// assert!(matches!(wake, Wake::Ready));
    /// let accepted = hub.accept(listener)?.expect("somebody has connected");
    ///
    /// hub.wait(Wait::writable(connected))?;
    /// assert_eq!(hub.write(connected, b"hello")?, Some(5));
    /// hub.wait(Wait::readable(accepted))?;
    /// let mut bytes = [0; 16];
    /// assert_eq!(hub.read(accepted, &mut bytes)?, Some(5)); // Some(0) is the end, None: not yet
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] with what the system says, such as that the address is in use.
    pub fn listen(&mut self, at: &Endpoint) -> Result<Listener> {
        let key = self.add_port(|driver, owner| Ok((driver.listen(at, owner)?, false)));
        let error = |error| Error::io(ErrorKind::Io, format_args!("cannot listen at {at}"), error);
        key.map(Listener).map_err(error)
    }

    /// Takes one connection that has come in; `None` when there is none now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`], such as no descriptors left. The listener stays as it is: sleep a little, then
    /// accept again.
    pub fn accept(&mut self, listener: Listener) -> Result<Option<Stream>> {
        let socket = self.port(listener.0)?.socket;
        match self.add_port(|driver, owner| Ok((driver.accept(socket, owner)?, true))) {
            Ok(key) => Ok(Some(Stream(key))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.port_mut(listener.0)?.readable = false;
                Ok(None)
            }
            Err(error) => Err(Error::io(ErrorKind::Io, "cannot accept", error)),
        }
    }

    /// Takes over a connected UNIX stream that somebody else has made, such as one half of a pair.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where the driver cannot take it.
    pub fn adopt(&mut self, stream: std::os::unix::net::UnixStream) -> Result<Stream> {
        let key = self.add_port(|driver, owner| Ok((driver.adopt(stream, owner)?, true)));
        key.map(Stream)
            .map_err(|error| Error::io(ErrorKind::Io, "cannot adopt a stream", error))
    }

    /// Where a listener listens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] when it is closed.
    pub fn local(&self, listener: Listener) -> Result<Endpoint> {
        let socket = self.port(listener.0)?.socket;
        let error = |error| Error::io(ErrorKind::Io, "cannot tell the local address", error);
        self.driver.local(socket).map_err(error)
    }

    /// Whom a stream is connected to. Who has connected to a UNIX socket has no name: an empty path.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] when the stream is closed, [`ErrorKind::Io`] when it is not connected, or
    /// no longer.
    pub fn peer(&self, stream: Stream) -> Result<Endpoint> {
        let socket = self.port(stream.0)?.socket;
        let error = |error| Error::io(ErrorKind::Io, "cannot tell the peer's address", error);
        self.driver.peer(socket).map_err(error)
    }

    /// Reads what is there into `into`: how many bytes, 0 at the end of the stream, `None` when there
    /// is nothing now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] when the connection has failed.
    pub fn read(&mut self, stream: Stream, into: &mut [u8]) -> Result<Option<usize>> {
        let room = into.len();
        let socket = self.port(stream.0)?.socket;
        let result = self.driver.read(socket, into);
        let port = self.port_mut(stream.0)?;
        match result {
            Ok(count) => {
                // Fewer than there was room for means drained, unless the end is known to stand behind.
                port.readable = count == room || port.ended;
                Ok(Some(count))
            }
            Err(error) if is_not_yet(&error) => {
                port.readable = false;
                Ok(None)
            }
            Err(error) => Err(Error::io(ErrorKind::Closed, "cannot read", error)),
        }
    }

    /// Writes what fits of `bytes`: how many, or `None` when there is no room now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] when the connection has failed or could not be made.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<Option<usize>> {
        let socket = self.port(stream.0)?.socket;
        let result = self.driver.write(socket, bytes);
        let port = self.port_mut(stream.0)?;
        match result {
            Ok(count) => {
                port.writable = count == bytes.len();
                Ok(Some(count))
            }
            Err(error) if is_not_yet(&error) => {
                port.writable = false;
                Ok(None)
            }
            Err(error) => Err(Error::io(ErrorKind::Closed, "cannot write", error)),
        }
    }

    /// Sends small writes at once, without waiting for the acknowledgement of the last (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] with what the system says.
    pub fn no_delay(&mut self, stream: Stream) -> Result<()> {
        let socket = self.port(stream.0)?.socket;
        let error = |error| Error::io(ErrorKind::Io, "cannot set TCP_NODELAY", error);
        self.driver.no_delay(socket).map_err(error)
    }

    /// Closes a stream. Whoever waits for it is woken, and learns it from the next read or write.
    pub fn close_stream(&mut self, stream: Stream) {
        self.close_port(stream.0);
    }

    /// Stops listening.
    pub fn close_listener(&mut self, listener: Listener) {
        self.close_port(listener.0);
    }

    /// Makes a stream or listener belong to another task: it is closed when that task ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] when the task has ended, or the stream or listener is closed.
    pub fn hand_over(&mut self, what: impl Into<Handle>, to: TaskId) -> Result<()> {
        let Handle(key) = what.into();
        if self.is_ended(to) {
            return Err(closed("the task has ended"));
        }
        self.move_port(key, to.0)
    }
}
