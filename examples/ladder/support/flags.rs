//! The command line of a rung: numbers, each after a letter, such as `-c 500`.

use lexopt::prelude::*;

/// The numbers, in the order of `defaults`: letters, and what holds where they are not given. Anything else that was
/// typed ends the program, with one line that says what.
pub(crate) fn read<const N: usize>(defaults: [(char, u16); N]) -> [u16; N] {
    parse(lexopt::Parser::from_env(), defaults).unwrap_or_else(|error| {
        let message = error.to_string().replace(char::is_control, " ");
        eprintln!("{}: {message}", env!("CARGO_CRATE_NAME"));
        std::process::exit(2)
    })
}

fn parse<const N: usize>(
    mut args: lexopt::Parser,
    defaults: [(char, u16); N],
) -> Result<[u16; N], lexopt::Error> {
    let mut numbers = defaults.map(|(_, number)| number);
    while let Some(arg) = args.next()? {
        let Short(letter) = arg else {
            return Err(arg.unexpected());
        };
        match defaults.iter().position(|(known, _)| *known == letter) {
            Some(at) => numbers[at] = args.value()?.parse()?,
            None => return Err(arg.unexpected()),
        }
    }
    Ok(numbers)
}
