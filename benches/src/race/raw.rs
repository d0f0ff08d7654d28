//! A connection that blocks, for what stands beside the race: setting up, looking at the server,
//! pushing elements.

use super::Result;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A server that takes longer for a reply is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A UNIX socket is used, so that this leaves no port behind.
#[derive(Debug)]
pub(crate) struct Raw(BufReader<UnixStream>);

impl Raw {
    pub(crate) fn connect(socket: &Path) -> Result<Raw> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Raw(BufReader::new(stream)))
    }

    /// Asks a command, and waits for the reply.
    pub(crate) fn ask(&mut self, args: &[&str]) -> Result<String> {
        let mut bytes = Vec::new();
        command(&mut bytes, args);
        self.send(&bytes)?;
        self.reply()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.get_mut().write_all(bytes)?)
    }

    /// A simple reply or one bulk string; nothing else is asked for here.
    pub(crate) fn reply(&mut self) -> Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let (kind, rest) = line.trim_end().split_at_checked(1).unwrap_or_default();
        match kind {
            "+" | ":" => Ok(rest.into()),
            "$" => {
                let mut bulk = vec![0; rest.parse::<usize>()? + 2];
                self.0.read_exact(&mut bulk)?;
                bulk.truncate(bulk.len() - 2);
                Ok(String::from_utf8(bulk)?)
            }
            _ => Err(format!("the server says {line:?}").into()),
        }
    }
}

/// Appends a command.
pub(crate) fn command(bytes: &mut Vec<u8>, args: &[&str]) {
    bytes.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n{arg}\r\n", arg.len()).as_bytes());
    }
}
