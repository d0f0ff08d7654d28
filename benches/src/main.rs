//! The comparison: `cargo run --release -p greenroom-bench -- race`.

mod race;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: greenroom-bench race [WORKLOAD ...] [OPTIONS]

`race --help` lists the workloads and options. The programs that race do one workload each when they
are called by themselves: see benches/src/lib.rs.
";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        Some(command) if command == "race" => race::main(args),
        Some(command) if command == "--help" => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(race::MISUSED)
        }
    }
}
