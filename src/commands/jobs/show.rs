//! `wxops jobs show`.

use super::row;
use crate::app::App;
use crate::commands::{Context, time_local};
use crate::error::{Error, Lang, Result, Text};
use crate::report::{Report, escape};
use crate::say;
use crate::store::JobRun;
use serde_json::Value;

/// Show one run: what it did, why it failed, where the next goes on
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops jobs show 17")]
pub struct Show {
    /// The run's id
    #[arg(value_name = "ID")]
    id: i64,
}

struct Shown(JobRun);

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let id = self.id;
        let run = app.store.run(id).await?.ok_or_else(|| {
            Error::failed(say!("there is no run {id}"; "没有编号为 {id} 的运行"))
                .next(say!("see wxops jobs list"; "请查看 wxops jobs list"))
        })?;
        let run = app.store.as_it_stands(run).await?;
        context.out.show(&Shown(run))
    }
}

impl Report for Shown {
    fn json(&self) -> Value {
        let mut value = row::json(&self.0);
        let checkpoint = self.0.checkpoint.as_deref();
        value["checkpoint"] = checkpoint.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        value
    }

    fn text(&self, lang: Lang) -> String {
        let run = &self.0;
        let time = |time: chrono::DateTime<chrono::Utc>| time_local(time.timestamp_millis());
        let JobRun { id, job, account, .. } = run;
        let (outcome, started) = (run.outcome.as_str(), time(run.started_at));
        let code = run.exit_code.map_or_else(String::new, |code| code.to_string());
        let end = match (run.finished_at, row::seconds(run)) {
            (Some(end), Some(seconds)) => format!("{} ({seconds:.1} s)", time(end)),
            _ => "-".to_owned(),
        };
        let (counts, who) = (escape(&row::counted(run)).into_owned(), escape(&run.who).into_owned());
        let mut lines = vec![say!(
            "id          {id}\njob         {job}\naccount     {account}\noutcome     {outcome} {code}\nstarted     {started}\n\
             finished    {end}\nwho         {who}\ncounts      {counts}";
            "编号    {id}\n任务    {job}\n账号    {account}\n结果    {outcome} {code}\n开始    {started}\n\
             结束    {end}\n进程    {who}\n计数    {counts}"
        )];
        if run.origin != run.id {
            let origin = run.origin;
            lines.push(say!("goes on     with what run {origin} began"; "接续    第 {origin} 次运行"));
        }
        if let (Some(checkpoint), Some(at)) = (&run.checkpoint, run.checkpoint_at.map(time)) {
            let checkpoint = escape(checkpoint);
            lines.push(say!("checkpoint  {checkpoint} ({at})"; "断点    {checkpoint}（{at}）"));
        }
        if let Some(error) = &run.error {
            let error = escape(error);
            lines.push(say!("error       {error}"; "错误    {error}"));
        }
        lines.iter().map(|line: &Text| line.in_lang(lang)).collect::<Vec<_>>().join("\n")
    }
}
