//! The command line. Flags are those of redis-benchmark where it has them.

use super::arguments::{self, number, text};
use super::files::{self, Ends};
use super::seconds::seconds;
use super::which::{Server, Which};
use greenroom::Timeout;
use greenroom::sim::Faults;
use lexopt::prelude::*;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What `--help` prints; `FAULTS` stands for the names.
const HELP: &str = "\
Hundreds of blocking pops and a cron task, on one thread.

Usage: concurrent_brpop [OPTIONS]

Which server:
  -h HOST              host name or address (127.0.0.1)
  -p PORT              port (6379)
  -s SOCKET            UNIX socket, instead of host and port
  -a PASSWORD          password
      --user NAME      user name, with -a
      --url URL        redis://[user][:password@]host[:port][/db] or unix:///path[?db=N],
                       instead of all the above; else $REDIS_URL
      --embedded       a server in this very process, instead of all the above

Where none of these says which (-a alone does: whoever has a password has a server), it is the server
at 127.0.0.1:6379; if nothing listens there, the embedded one.

No server and no network at all, but the same program:
      --simulate SEED  on a simulated kernel, where time is a number and chance follows from the seed
      --faults LIST    what goes wrong there: all, or some of FAULTS

What to do:
  -c, --clients N      blocking pops at the same time, each on a connection of its own (500)
      --key KEY        list to pop from (list)
      --timeout S      seconds that a pop waits in the server, 0 for ever (1)
      --cron S         seconds between two runs of the cron task (0.2)

What to say:
  -q, --quiet          no log lines
      --json           a summary as one line of JSON on stdout
      --explain        the run step by step on stderr, beside the words of gevent; try -c 3 -q
      --html FILE      a timeline of the run, as a page for a browser
      --trace FILE     the same in the Trace Event Format, for Perfetto
      --help           this text
      --version        the version

Exit status: 0 all pops timed out as they should; 1 one of them did not, or the server could not be
reached; 2 wrong usage; 130 ended by SIGINT (Ctrl-C), 143 by SIGTERM: a second signal does so at once.
";

fn help() -> String {
    HELP.replace(
        "FAULTS",
        &Faults::names()
            .collect::<Vec<_>>()
            .join(",\n                       "),
    )
}

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) server: Which,
    pub(crate) clients: usize,
    pub(crate) key: String,
    pub(crate) timeout: Timeout,
    pub(crate) cron: Duration,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
    pub(crate) explain: bool,
    /// Where a timeline is to be written.
    pub(crate) html: Option<PathBuf>,
    pub(crate) trace: Option<PathBuf>,
    /// The seed of a simulated kernel, instead of the real one.
    pub(crate) simulate: Option<u64>,
    pub(crate) faults: Option<Faults>,
}

impl Options {
    /// Reads the command line. `Err` is the status to exit with.
    pub(crate) fn from_args() -> Result<Options, ExitCode> {
        arguments::read(Options::parse)
    }

    /// `None` when there is nothing left to do.
    fn parse(mut args: lexopt::Parser) -> Result<Option<Options>, String> {
        let mut server = Server::default();
        let mut options = Options {
            server: Which::Usual,
            clients: 500,
            key: "list".into(),
            timeout: Timeout::After(Duration::from_secs(1)),
            cron: Duration::from_millis(200),
            quiet: false,
            json: false,
            explain: false,
            html: None,
            trace: None,
            simulate: None,
            faults: None,
        };
        while let Some(arg) = arguments::next(&mut args)? {
            match arg {
                Short(letter @ ('h' | 'p' | 's' | 'a')) => server.short(letter, &mut args)?,
                Long("user") => server.user = Some(text(&mut args, "--user")?),
                Long("url") => server.url = Some(text(&mut args, "--url")?),
                Long("embedded") => server.embedded = true,
                Short('c') | Long("clients") => {
                    options.clients = number(&mut args, "--clients", "a number from 1")?;
                }
                Long("key") => options.key = text(&mut args, "--key")?,
                Long("timeout") => {
                    let timeout = seconds(&mut args, "--timeout")?;
                    options.timeout = match timeout.is_zero() {
                        true => Timeout::Forever,
                        false => Timeout::After(timeout),
                    };
                }
                Long("cron") => options.cron = seconds(&mut args, "--cron")?,
                Short('q') | Long("quiet") => options.quiet = true,
                Long("json") => options.json = true,
                Long("explain") => options.explain = true,
                Long("html") => options.html = Some(text(&mut args, "--html")?.into()),
                Long("trace") => options.trace = Some(text(&mut args, "--trace")?.into()),
                Long("help") => return arguments::print(&help()).map(|()| None),
                Long("simulate") => {
                    options.simulate = Some(number(&mut args, "--simulate", "a number from 0")?);
                }
                Long("faults") => {
                    let list = text(&mut args, "--faults")?;
                    let faults = list.parse::<Faults>().map_err(|error| error.to_string())?;
                    options.faults = Some(faults);
                }
                Long("version") => return arguments::print_version().map(|()| None),
                // A URL may hold a password: it is not to be repeated.
                Value(value) if value.to_string_lossy().contains("://") => {
                    return Err("a URL is given with --url".into());
                }
                other => return Err(arguments::unexpected(other)),
            }
        }
        options.server = match options.simulate {
            Some(_) if server.is_named() => {
                return Err("--simulate has a server of its own: name none".into());
            }
            Some(_) => Which::Embedded,
            None if options.faults.is_some() => {
                return Err("--faults goes with --simulate".into());
            }
            None => server.which()?,
        };
        options.check()?;
        Ok(Some(options))
    }

    fn check(&self) -> Result<(), String> {
        if self.clients == 0 {
            return Err("--clients: 0 is not a number from 1".into());
        }
        if self.cron.is_zero() {
            return Err("--cron: 0 is not a time between two runs".into());
        }
        // With the embedded server there are more, but whether it comes to that is known later.
        self.check_files(Ends::Ours)
    }

    /// Whether the process may have so many connections.
    pub(crate) fn check_files(&self, ends: Ends) -> Result<(), String> {
        if self.simulate.is_some() {
            return Ok(());
        }
        files::check("--clients", self.clients, ends)
    }
}
