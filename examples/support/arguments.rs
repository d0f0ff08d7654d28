//! What the command lines of the examples have in common. Whatever is wrong with one is told in one line.

use greenroom::Address;
use std::io::{self, Write};
use std::path;
use std::process::ExitCode;
use std::str::FromStr;

/// The program.
pub(crate) const NAME: &str = env!("CARGO_CRATE_NAME");

/// The exit status of wrong usage.
pub(crate) const MISUSED: u8 = 2;

/// Reads the command line with `parse`, which says `None` when there is nothing left to do. `Err` is the
/// status to exit with.
pub(crate) fn read<T>(
    parse: impl FnOnce(lexopt::Parser) -> Result<Option<T>, String>,
) -> Result<T, ExitCode> {
    match parse(lexopt::Parser::from_env()) {
        Ok(Some(options)) => Ok(options),
        Ok(None) => Err(ExitCode::SUCCESS),
        Err(message) => {
            // What was typed may hold a line break, and this is to be one line.
            eprintln!("{NAME}: {}", message.replace(char::is_control, " "));
            Err(MISUSED.into())
        }
    }
}

/// The next argument, if there is one.
pub(crate) fn next(args: &mut lexopt::Parser) -> Result<Option<lexopt::Arg<'_>>, String> {
    args.next().map_err(|error| error.to_string())
}

pub(crate) fn unexpected(arg: lexopt::Arg<'_>) -> String {
    format!("{}; --help lists what there is", arg.unexpected())
}

pub(crate) fn text(args: &mut lexopt::Parser, flag: &str) -> Result<String, String> {
    let value = args.value().map_err(|_| format!("{flag} needs a value"))?;
    value
        .into_string()
        .map_err(|_| format!("{flag}: the value is not UTF-8"))
}

/// A number, or anything else that is read from a text.
pub(crate) fn number<T: FromStr>(
    args: &mut lexopt::Parser,
    flag: &str,
    what: &str,
) -> Result<T, String> {
    let text = text(args, flag)?;
    text.parse()
        .map_err(|_| format!("{flag}: {text:?} is not {what}"))
}

/// A UNIX socket, the path of which may be relative.
pub(crate) fn socket(args: &mut lexopt::Parser, flag: &str) -> Result<Address, String> {
    let text = text(args, flag)?;
    let path = path::absolute(&text).map_err(|error| format!("{flag} {text}: {error}"))?;
    Address::unix(path).map_err(|error| format!("{flag}: {error}"))
}

/// Prints an answer to the user, who may have closed the door.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let printed = io::stdout().write_all(text.as_bytes());
    printed.map_err(|error| format!("cannot print: {error}"))
}

pub(crate) fn print_version() -> Result<(), String> {
    print(&format!("{NAME} {}\n", env!("CARGO_PKG_VERSION")))
}
