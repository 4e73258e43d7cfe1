//! The generator behind `npm run gen`: writes every `*.gen.*` file from the rows of the core; `gen --check` fails when that would
//! change one.

mod generate;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["gen"] => generate::write(),
        ["gen", "--check"] => generate::check(),
        _ => Err("usage: npm run gen, or npm run gen:check".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
