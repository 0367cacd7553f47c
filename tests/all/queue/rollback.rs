//! `queue rollback`: nothing that was not sent is lost, and nothing of others is touched.

use super::{installed, register, standing};
use crate::stage::Stage;
use crate::stories::stories;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

stories! {
    what_was_not_sent_goes_into_a_file,
    only_our_lines_of_the_crontab_go,
    the_block_that_init_prints_goes_as_a_whole,
}

async fn what_was_not_sent_goes_into_a_file(mut stage: Stage) {
    installed(&mut stage, "kinds = ['new', 'changed']").await;
    register(&stage, "A1", "小明").await;
    register(&stage, "A2", "x").await;
    register(&stage, "A3", "y").await;
    stage.execute("UPDATE member_notification_queue SET status = 'sent' WHERE member_id = 2").await;
    stage.execute("UPDATE member_notification_queue SET status = 'dead' WHERE member_id = 3").await;
    let all = standing(&stage).await;
    let refused = stage.verb(&["queue", "rollback", "--yes"]).await.expect_code(1);
    assert!(
        refused.stderr.contains("1 notifications are pending") && refused.stderr.contains("--drop-pending"),
        "{}",
        refused.stderr
    );
    let dry = stage.verb(&["queue", "rollback", "--drop-pending", "--dry-run"]).await.expect_code(0);
    assert!(dry.stdout.contains("tr_member_update_notification: would be dropped"), "{}", dry.stdout);
    stage.verb(&["queue", "rollback", "--drop-pending"]).await.expect_code(2);
    fs::write(stage.folder().join("kept.ndjson"), "precious").unwrap();
    let there = ["queue", "rollback", "--drop-pending", "--yes", "--dump", "kept.ndjson"];
    let refused = stage.verb(&there).await.expect_code(2);
    assert!(refused.stderr.contains("is there already; nothing was changed"), "{}", refused.stderr);
    assert_eq!(standing(&stage).await, all);

    let gone = stage.verb(&["--json", "queue", "rollback", "--drop-pending", "--yes", "--dump", "rows.ndjson"]).await;
    let gone = gone.expect_code(0).json().remove(0);
    assert_eq!((gone["pending"].as_i64(), gone["dump"]["rows"].as_i64()), (Some(1), Some(2)));
    assert_eq!(standing(&stage).await, 0);
    let file = stage.folder().join("rows.ndjson");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2, "what was sent is not in it");
    assert_eq!(
        (rows[0]["payload"]["nickname"].as_str(), rows[0]["dedupe_key"].as_str()),
        (Some("小明"), Some("member_created:1"))
    );
    assert_eq!((rows[1]["status"].as_str(), rows[1]["member_id"].as_str()), (Some("dead"), Some("3")));
    assert_eq!(fs::read_to_string(stage.folder().join("kept.ndjson")).unwrap(), "precious");

    // Members register as before, and there is nothing left to do.
    register(&stage, "A4", "z").await;
    let idle = stage.verb(&["queue", "rollback"]).await.expect_code(0);
    assert!(
        idle.stdout.contains("there is no queue in ") && idle.stdout.contains("systemctl disable --now"),
        "{}",
        idle.stdout
    );
    assert_eq!(stage.number("SELECT COUNT(*) FROM members").await, 4);
}

/// A `crontab` that keeps its lines in a file; the file.
fn crontab(stage: &mut Stage) -> PathBuf {
    let bin = stage.folder().join("bin");
    fs::create_dir(&bin).unwrap();
    let tab = stage.folder().join("tab");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n-l) cat '{0}' ;;\n-r) rm '{0}' ;;\n*) cat > '{0}' ;;\nesac\n",
        tab.display()
    );
    fs::write(bin.join("crontab"), script).unwrap();
    fs::set_permissions(bin.join("crontab"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    stage.env.push(("PATH".into(), path));
    tab
}

async fn the_block_that_init_prints_goes_as_a_whole(mut stage: Stage) {
    let tab = crontab(&mut stage);
    installed(&mut stage, "").await;
    let printed = stage.verb(&["init", "--crontab"]).await.expect_code(0).stdout;
    let (jobs, of_the_queue) = printed.split_once("# BEGIN wxops queue\n").unwrap();
    assert!(of_the_queue.contains(" queue drain ") && !jobs.contains(" queue "), "{printed}");
    fs::write(&tab, format!("MAILTO=root\n{printed}0 1 * * * last\n")).unwrap();
    stage.verb(&["queue", "rollback", "--yes"]).await.expect_code(0);
    assert_eq!(fs::read_to_string(&tab).unwrap(), format!("MAILTO=root\n{jobs}0 1 * * * last\n"));
}

async fn only_our_lines_of_the_crontab_go(mut stage: Stage) {
    let tab = crontab(&mut stage);
    let others = "MAILTO=ops@example.com\n*/5 * * * * cd /crm && node scripts/monitor-notification-queue.js\n";
    let job = "* * * * * /usr/local/bin/wxops --config /etc/wxops/wxops.toml -q queue drain --max-time 50s\n";
    let token = "* * * * * /usr/local/bin/wxops --config /etc/wxops/wxops.toml -q token refresh --account all\n";
    fs::write(&tab, format!("{others}# BEGIN wxops\n# Each minute.\n{token}{job}# END wxops\n{job}")).unwrap();
    installed(&mut stage, "").await;
    let dry = stage.verb(&["queue", "rollback", "--dry-run"]).await.expect_code(0);
    assert!(dry.stdout.contains("crontab, would be taken out: * * * * * /usr/local/bin/wxops"), "{}", dry.stdout);
    let gone = stage.verb(&["--json", "queue", "rollback", "--yes"]).await.expect_code(0).json().remove(0);
    assert_eq!(gone["crontab_lines"].as_array().unwrap().len(), 1);
    let left = format!("{others}# BEGIN wxops\n# Each minute.\n{token}# END wxops\n{job}");
    assert_eq!(fs::read_to_string(&tab).unwrap(), left, "a line outside of our marks is its owner's");
    stage.verb(&["queue", "rollback"]).await.expect_code(0);
    assert_eq!(fs::read_to_string(&tab).unwrap(), left);
}
