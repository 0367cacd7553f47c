//! What a crontab may hold, by its manual page (crontab(5)): as strict as the strictest cron.

/// The fields of the time: name, least, most.
const TIMES: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7)];
/// What may be set in ours.
const VARIABLES: [&str; 2] = ["SHELL", "MAILTO"];

/// A job of a crontab.
#[derive(Debug, PartialEq)]
pub struct Job {
    /// Its user, in a file of /etc/cron.d.
    pub user: Option<String>,
    /// What the shell gets.
    pub command: String,
}

/// The jobs of a crontab, those included of which only the `#` must be taken away; else what is wrong with which line.
pub fn jobs(text: &str, with_user: bool) -> Result<Vec<Job>, String> {
    if !text.ends_with('\n') {
        return Err("the last line has no end, so cron leaves it out".into());
    }
    let mut jobs = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let example = line.strip_prefix('#').filter(|line| line.starts_with(|c: char| c == '*' || c.is_ascii_digit()));
        let line = example.unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: String| format!("line {}: {why}", at + 1);
        if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.contains(' ')) {
            match VARIABLES.contains(&name) && !value.is_empty() {
                true => continue,
                false => return Err(wrong(format!("{name} is set"))),
            }
        }
        jobs.push(job(line, with_user).map_err(wrong)?);
    }
    Ok(jobs)
}

fn job(line: &str, with_user: bool) -> Result<Job, String> {
    let mut words = line.splitn(if with_user { 7 } else { 6 }, ' ');
    for (name, least, most) in TIMES {
        let field = words.next().unwrap_or_default();
        times(field, least, most).ok_or_else(|| format!("{field:?} is no {name}"))?;
    }
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let user = match with_user.then(|| words.next().unwrap_or_default()) {
        Some(user) if user.is_empty() || !user.chars().all(letter) => return Err(format!("{user:?} is no user")),
        user => user.map(str::to_owned),
    };
    let command = words.next().unwrap_or_default();
    let program = command.rsplit(" && ").next().unwrap_or_default();
    if !program.starts_with('/') && !program.starts_with("'/") {
        return Err(format!("{program:?} relies on PATH"));
    }
    if command.contains('~') || command.contains('$') {
        return Err("it relies on a variable".into());
    }
    let without = command.replace(r"\%", "");
    if without.contains('%') {
        return Err("a % is the end of the command".into());
    }
    Ok(Job { user, command: command.replace(r"\%", "%") })
}

/// `*`, `*/5`, `1-5`, `1-5/2`, `3`, and lists of those.
fn times(field: &str, least: u32, most: u32) -> Option<()> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| (least..=most).contains(number));
    for part in field.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        if let Some(step) = step {
            step.parse::<u32>().ok().filter(|step| (1..=most).contains(step))?;
        }
        match range.split_once('-') {
            Some((from, to)) => _ = (number(from)? <= number(to)?).then_some(())?,
            None if range == "*" => {}
            None if step.is_none() => _ = number(range)?,
            None => return None,
        }
    }
    Some(())
}

#[test]
fn a_slip_is_found() {
    let good =
        "MAILTO=root\n\n# why\n*/5 1-5 1,15 * 7 wxops /usr/bin/a b\n#0 0 1-31/2 1 0 wxops cd /x && /usr/bin/a 5\\%\n";
    let commands: Vec<_> = jobs(good, true).unwrap().into_iter().map(|job| job.command).collect();
    assert_eq!(commands, ["/usr/bin/a b", "cd /x && /usr/bin/a 5%"]);
    for (line, why) in [
        ("60 * * * * wxops /a\n", "no minute"),
        ("* 24 * * * wxops /a\n", "no hour"),
        ("* * 0 * * wxops /a\n", "no day of month"),
        ("* * * 13 * wxops /a\n", "no month"),
        ("* * * * 8 wxops /a\n", "no day of week"),
        ("5-1 * * * * wxops /a\n", "no minute"),
        ("*/0 * * * * wxops /a\n", "no minute"),
        ("* * * * /a b\n", "no day of week"),
        ("* * * * * /a b\n", "no user"),
        ("* * * * * wxops a b\n", "relies on PATH"),
        ("* * * * * wxops\n", "relies on PATH"),
        ("* * * * * wxops /a $HOME\n", "relies on a variable"),
        ("* * * * * wxops /a 5%\n", "end of the command"),
        ("HOME=/x\n", "HOME is set"),
        ("* * * * * wxops /a", "no end"),
    ] {
        let found = jobs(line, true).unwrap_err();
        assert!(found.contains(why), "{line:?}: {found}");
    }
    assert!(jobs("* * * * * /a b\n", false).is_ok());
}
