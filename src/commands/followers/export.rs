//! `wxops followers export`.

mod progress;
mod sheet;
mod target;

use super::where_filter::Where;
use crate::app::App;
use crate::commands::{Context, account_filter};
use crate::domain::filter::{EXPORTED, Field, columns};
use crate::domain::near::near;
use crate::error::{Error, Lang, Result};
use crate::report::{Format, Report};
use crate::say;
use crate::store::FollowerFilter;
use progress::Progress;
use serde_json::json;
use sheet::{Form, Sheet};
use std::path::PathBuf;
use target::Target;

/// Rows of one query, and all that is held of the table.
const PAGE: i64 = 1000;

/// Write people to stdout or a file, as CSV or NDJSON
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers export --as csv --output-file people.csv")]
pub struct Export {
    /// Form of the rows: csv, or with --json ndjson
    #[arg(long = "as", value_enum, value_name = "csv|ndjson", hide_possible_values = true)]
    form: Option<Form>,
    #[command(flatten)]
    narrow: Where,
    /// Only these columns, in this order: openid,nickname,city
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Also people who left and whose data was erased
    #[arg(long)]
    include_erased: bool,
    /// CSV that Excel takes for UTF-8: with a byte order mark
    #[arg(long)]
    excel: bool,
    /// CSV as stored; else text like =1+1 gets a ' that keeps it text
    #[arg(long)]
    raw: bool,
    /// Write to this file, of mode 0600; - is stdout
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// Overwrite the file
    #[arg(short, long)]
    yes: bool,
}

impl Export {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let matching = self.narrow.filter(context)?;
        let columns = chosen(&self.columns)?;
        let form = self.form(context.out.format)?;
        let app = App::open(context.config()?.clone()).await?;
        let account = account_filter(&app.config)?;
        let mut filter =
            FollowerFilter { account, not_erased: !self.include_erased, matching, ..FollowerFilter::default() };
        if self.narrow.settle(context, &app, &filter).await? {
            return Ok(());
        }
        filter.last_id = Some(app.store.last_follower_id().await?);
        let mut target = Target::open(self.output_file, self.yes, context).await?;
        let sheet = Sheet { form, columns, excel: self.excel, raw: self.raw, escape: target.is_terminal() };
        let rows = copy(&app, &filter, &sheet, &mut target, context).await?;
        match target.finish()? {
            Some(file) => context.out.report(&Exported { rows, file }),
            None => context.out.flush(),
        }
    }

    fn form(&self, format: Format) -> Result<Form> {
        let form = self.form.unwrap_or(match format {
            Format::Table => Form::Csv,
            Format::Json => Form::Ndjson,
        });
        let of_csv = [("--excel", self.excel), ("--raw", self.raw)].into_iter().find(|(_, given)| *given);
        match (form, of_csv) {
            (Form::Ndjson, Some((flag, _))) => Err(Error::usage(say!("{flag} is for CSV"; "{flag} 只用于 CSV"))
                .next(say!("add --as csv, or leave {flag} out"; "请加 --as csv，或去掉 {flag}"))),
            _ => Ok(form),
        }
    }
}

/// Page by page, until all are written; how many.
async fn copy(
    app: &App,
    filter: &FollowerFilter,
    sheet: &Sheet,
    target: &mut Target,
    context: &mut Context,
) -> Result<u64> {
    let mut progress = Progress::new(&context.out, target.is_terminal());
    let (mut rows, mut after, mut bytes) = (0, 0, Vec::new());
    sheet.head(&mut bytes);
    loop {
        let page = app.store.followers_cells(&sheet.columns, filter, after, PAGE).await?;
        page.iter().for_each(|(_, cells)| sheet.row(cells, &mut bytes));
        target.write(&bytes, &mut context.out)?;
        bytes.clear();
        rows += page.len() as u64;
        progress.tell(rows);
        match page.last() {
            Some((last, _)) if page.len() as i64 == PAGE => after = *last,
            _ => return Ok(rows),
        }
    }
}

/// The columns of these names, each once; without names those of every export.
fn chosen(names: &[String]) -> Result<Vec<&'static Field>> {
    if names.is_empty() {
        return Ok(EXPORTED.iter().collect());
    }
    let mut chosen: Vec<&'static Field> = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        let field = columns().find(|field| field.name == name).ok_or_else(|| no_column(name))?;
        if chosen.contains(&field) {
            return Err(Error::usage(say!("the column {name} is named twice"; "列 {name} 出现了两次")));
        }
        chosen.push(field);
    }
    Ok(chosen)
}

fn no_column(name: &str) -> Error {
    let error = Error::usage(say!("there is no column {name:?}"; "没有列 {name:?}"));
    match near(&name.to_lowercase(), columns().map(|field| field.name)) {
        Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
        None => {
            let names = columns().map(|field| field.name).collect::<Vec<_>>().join(",");
            error.next(say!("the columns are: {names}"; "可用的列：{names}"))
        }
    }
}

struct Exported {
    rows: u64,
    file: PathBuf,
}

impl Report for Exported {
    fn json(&self) -> serde_json::Value {
        json!({ "rows": self.rows, "file": self.file.display().to_string() })
    }

    fn text(&self, lang: Lang) -> String {
        let (rows, file) = (self.rows, self.file.display());
        let people = if rows == 1 { "person" } else { "people" };
        let text = say!("{rows} {people} written to {file}"; "已将 {rows} 人写入 {file}");
        crate::report::escape(text.in_lang(lang)).into_owned()
    }
}
