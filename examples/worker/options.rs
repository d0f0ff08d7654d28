//! The command line.

use crate::support::arguments::{self, number, text};
use crate::support::files::{self, Ends};
use crate::support::seconds::seconds;
use crate::support::which::{Server, Which};
use greenroom::{ms, secs};
use lexopt::prelude::*;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
Takes jobs from a list and does them, several at a time on one thread, and loses none.

Usage: worker [OPTIONS]

Which server:
  -h HOST              host name or address (127.0.0.1)
  -p PORT              port (6379)
  -s SOCKET            UNIX socket, instead of host and port
  -a PASSWORD          password
      --user NAME      user name, with -a
      --url URL        redis://[user][:password@]host[:port][/db] or unix:///path[?db=N],
                       instead of all the above; else $REDIS_URL
      --embedded       a server in this very process, instead of all the above: to try it

Which jobs:
      --queue KEY      the list to take from (jobs); what is taken stands in KEY:processing:NAME until
                       it is done, and what has failed too often in KEY:dead
      --name NAME      the name of this worker (worker): the same after each restart, since it begins
                       with what it left behind, and another for each worker of the queue
      --until-empty    end when no job is left
      --produce N      add N jobs first, and end when no job is left
      --body TEXT      the body of each (hello): `sleep MS`, `fail`, `fail N` (N times), or any other

How to do them:
      --jobs K         so many at the same time, each on a connection of its own (8)
      --max-retries N  how often a job that fails is tried again (3)
      --backoff S      seconds before it is, twice as many each further time, 60 at most, and up to a
                       quarter more by chance (0.5)
      --grace S        seconds that begun jobs have when the worker is to end (10)

What to say:
      --stats S        seconds between two lines of figures (1)
  -q, --quiet          no log lines; RUST_LOG=debug has one for each job
      --json           a summary as one line of JSON on stdout
      --help           this text
      --version        the version

SIGINT (Ctrl-C) and SIGTERM end it: no job is taken then, those that are being done have their grace, and what
is left goes back to the queue. A second signal ends it at once. SIGUSR1 prints what everybody waits for.
Exit status: 0 ended as it was told to; 1 the server could not be reached at the start, or something
failed that should not; 2 wrong usage.
";

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) server: Which,
    pub(crate) queue: String,
    pub(crate) name: String,
    pub(crate) until_empty: bool,
    pub(crate) produce: u64,
    pub(crate) body: String,
    pub(crate) jobs: usize,
    pub(crate) max_retries: u32,
    pub(crate) backoff: Duration,
    pub(crate) grace: Duration,
    pub(crate) stats: Duration,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            server: Which::Usual,
            queue: "jobs".into(),
            name: "worker".into(),
            until_empty: false,
            produce: 0,
            body: "hello".into(),
            jobs: 8,
            max_retries: 3,
            backoff: ms(500),
            grace: secs(10),
            stats: secs(1),
            quiet: false,
            json: false,
        }
    }
}

impl Options {
    /// Reads the command line. `Err` is the status to exit with.
    pub(crate) fn from_args() -> Result<Options, ExitCode> {
        arguments::read(Options::parse)
    }

    /// `None` when there is nothing left to do.
    fn parse(mut args: lexopt::Parser) -> Result<Option<Options>, String> {
        let mut server = Server::default();
        let mut options = Options::default();
        while let Some(arg) = arguments::next(&mut args)? {
            match arg {
                Short(letter @ ('h' | 'p' | 's' | 'a')) => server.short(letter, &mut args)?,
                Long("user") => server.user = Some(text(&mut args, "--user")?),
                Long("url") => server.url = Some(text(&mut args, "--url")?),
                Long("embedded") => server.embedded = true,
                Long("queue") => options.queue = text(&mut args, "--queue")?,
                Long("name") => options.name = text(&mut args, "--name")?,
                Long("until-empty") => options.until_empty = true,
                Long("produce") => {
                    options.produce = number(&mut args, "--produce", "a number from 0")?;
                    options.until_empty = true;
                }
                Long("body") => options.body = text(&mut args, "--body")?,
                Long("jobs") => options.jobs = number(&mut args, "--jobs", "a number from 1")?,
                Long("max-retries") => {
                    options.max_retries = number(&mut args, "--max-retries", "a number from 0")?;
                }
                Long("backoff") => options.backoff = seconds(&mut args, "--backoff")?,
                Long("grace") => options.grace = seconds(&mut args, "--grace")?,
                Long("stats") => options.stats = seconds(&mut args, "--stats")?,
                Short('q') | Long("quiet") => options.quiet = true,
                Long("json") => options.json = true,
                Long("help") => return arguments::print(HELP).map(|()| None),
                Long("version") => return arguments::print_version().map(|()| None),
                // A URL may hold a password: it is not to be repeated.
                Value(value) if value.to_string_lossy().contains("://") => {
                    return Err("a URL is given with --url".into());
                }
                other => return Err(arguments::unexpected(other)),
            }
        }
        options.server = server.which()?;
        options.check()?;
        Ok(Some(options))
    }

    fn check(&self) -> Result<(), String> {
        if self.jobs == 0 {
            return Err("--jobs: 0 is not a number from 1".into());
        }
        if self.stats.is_zero() {
            return Err("--stats: 0 is not a time between two lines".into());
        }
        // Two workers would share a list without knowing it.
        if self.name.is_empty() {
            return Err("--name: a worker needs a name".into());
        }
        let ends = match self.server {
            Which::Embedded => Ends::Both,
            Which::Named(_) | Which::Usual => Ends::Ours,
        };
        files::check("--jobs", self.jobs, ends)
    }
}
