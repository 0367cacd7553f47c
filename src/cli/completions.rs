//! `wxops completions`: what a shell needs to know, made from the definition that is parsed with.

use super::{NAME, translate, tree};
use crate::error::{Lang, Result};
use crate::report::{Out, Report};
use clap_complete::Shell;

/// Print the completions of a shell
///
/// bash: into /etc/bash_completion.d/wxops. zsh: into a file _wxops in a folder
/// of $fpath. fish: into ~/.config/fish/completions/wxops.fish.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops completions bash > /etc/bash_completion.d/wxops")]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish"])]
    shell: String,
}

struct Script {
    shell: String,
    script: String,
}

impl Completions {
    pub fn run(self, out: &mut Out) -> Result<()> {
        let shell = match self.shell.as_str() {
            "zsh" => Shell::Zsh,
            "fish" => Shell::Fish,
            _ => Shell::Bash,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut translate::description(tree(out.lang), out.lang), NAME, &mut script);
        let script = translate::plain(&String::from_utf8_lossy(&script));
        out.show(&Script { shell: self.shell, script })
    }
}

impl Report for Script {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "shell": self.shell, "script": self.script })
    }

    fn text(&self, _: Lang) -> String {
        self.script.clone()
    }
}
