//! wxops operates a WeChat back end. Everything is in the library, so that tests reach it.

fn main() -> std::process::ExitCode {
    wxops::cli::main()
}
