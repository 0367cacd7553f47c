//! Completions and manual pages, made from the definition: the shells and the formatters read them.

use super::scene::{groups, is_chinese, run, verbs};
use crate::rows::skip;
use std::path::Path;
use std::process::{Command, Output};

/// The output of a program; `None`, loudly, where it is missing.
fn program(folder: &Path, name: &str, args: &[&str]) -> Option<Output> {
    match Command::new(name).args(args).current_dir(folder).env("LC_ALL", "C.UTF-8").output() {
        Ok(output) => Some(output),
        Err(_) => {
            skip(&format!("shell::made with {name}"), &format!("{name} is not installed"));
            None
        }
    }
}

/// Each shell accepts its script, in both languages, and offers the groups.
#[tokio::test]
async fn completions_are_read_by_their_shells() {
    let folder = tempfile::tempdir().unwrap();
    let ask = [
        ("bash", "source ./bash; COMP_WORDS=(wxops ev); COMP_CWORD=1; _wxops wxops ev wxops; echo ${COMPREPLY[@]}"),
        ("fish", "source ./fish; complete -C 'wxops ev'"),
        ("zsh", "autoload -U compinit; compinit -u -D; source ./zsh; echo ${_comps[wxops]/_wxops/events}"),
    ];
    for lang in ["en", "zh"] {
        for (shell, question) in ask {
            let script = run(folder.path(), &format!("--lang {lang} completions {shell}")).await.expect_code(0).stdout;
            for verb in verbs().await {
                let last = verb.name.rsplit(' ').next().unwrap();
                assert!(script.contains(last), "{shell}: {}", verb.name);
                assert!(
                    verb.flags().iter().all(|flag| script.contains(flag.trim_start_matches('-'))),
                    "{shell}: {verb:?}"
                );
            }
            // bash shows no descriptions.
            assert_eq!(is_chinese(&script), lang == "zh" && shell != "bash", "{shell}");
            std::fs::write(folder.path().join(shell), &script).unwrap();
            let Some(checked) = program(folder.path(), shell, &["-n", shell]) else { continue };
            assert!(checked.status.success() && checked.stderr.is_empty(), "{shell} {lang}: {checked:?}");
            let Some(asked) = program(folder.path(), shell, &["-c", question]) else { continue };
            let offered = String::from_utf8_lossy(&asked.stdout).into_owned();
            assert!(offered.starts_with("events"), "{shell} {lang}: {asked:?}");
        }
    }
}

/// A page for every verb and group, which formatters take without a warning.
#[tokio::test]
async fn man_pages_are_read_by_man() {
    for lang in ["en", "zh"] {
        let folder = tempfile::tempdir().unwrap();
        let written = run(folder.path(), &format!("--lang {lang} --json man --dir pages")).await.expect_code(0);
        let written = &written.json()[0]["pages"];
        let named = |name: &str| format!("wxops-{}.1", name.replace(' ', "-"));
        let mut pages: Vec<String> = verbs().await.iter().map(|verb| named(&verb.name)).collect();
        pages.extend(groups().await.iter().map(|group| named(group)));
        pages.push("wxops.1".to_owned());
        assert_eq!(written.as_array().unwrap().len(), pages.len(), "{written}");
        for page in pages {
            let text = std::fs::read_to_string(folder.path().join("pages").join(&page)).unwrap();
            assert_eq!(is_chinese(&text), lang == "zh", "{page}");
            assert!(text.contains("wxops") && !text.contains('\u{a0}'), "{page}");
            let args = ["-k", "-ww", "-man", "-Tutf8", "-P-cbou", "-rLL=80n", &format!("pages/{page}")];
            let Some(shown) = program(folder.path(), "groff", &args) else { return };
            let complaints = String::from_utf8_lossy(&shown.stderr).into_owned();
            // Chinese has few blanks to stretch or break at; that is looks, not a fault.
            let looks = |line: &&str| !line.contains("cannot adjust line") && !line.contains("can't break line");
            let complaints = complaints.lines().filter(looks);
            assert_eq!(complaints.collect::<Vec<_>>(), [""; 0], "{page}");
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            for word in
                if lang == "zh" { ["名称", "示例", "退出码"] } else { ["NAME", "EXAMPLE", "EXIT STATUS"] }
            {
                assert!(shown.contains(word), "{page}: {shown}");
            }
        }
    }
}

/// One page to stdout is the one that is written; without a name the program's own.
#[tokio::test]
async fn one_page_goes_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "man --dir pages").await.expect_code(0);
    for (line, page) in
        [("man", "wxops.1"), ("man events", "wxops-events.1"), ("man events list", "wxops-events-list.1")]
    {
        let shown = run(folder.path(), line).await.expect_code(0).stdout;
        let written = std::fs::read_to_string(folder.path().join("pages").join(page)).unwrap();
        assert_eq!(shown.trim_end(), written.trim_end(), "{line}");
    }
    let unknown = run(folder.path(), "man events lst").await.expect_code(2);
    assert!(unknown.stderr.contains("did you mean list?"), "{unknown:?}");
    run(folder.path(), "man events list 1").await.expect_code(2);
    run(folder.path(), "man --dir /proc/no").await.expect_code(1);
}
