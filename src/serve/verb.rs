//! `wxops serve`: flags, and with `--sandbox` both in one process.

use super::accounts::servable;
use super::{Again, Server};
use crate::commands::Context;
use crate::error::Result;
use crate::lifecycle::Hangups;

/// Run the callback server until it is stopped
///
/// With --sandbox it brings a stand-in platform along and keeps everything in
/// ./wxops-sandbox: the quickest way to see it work.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops serve --sandbox")]
pub struct Serve {
    /// Address and port for callbacks
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Address and port of /metrics
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<String>,
    /// Bring a stand-in platform along; nothing outside ./wxops-sandbox
    #[cfg(feature = "sandbox")]
    #[arg(long)]
    sandbox: bool,
}

impl Serve {
    /// Runs until SIGINT or SIGTERM: exit 0.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        context.take_signals();
        let hangups = Hangups::watch()?;
        let mut sources = context.sources.clone();
        sources.flags.extend(self.listen.map(|addr| ("WXOPS_LISTEN", addr)));
        sources.flags.extend(self.metrics_listen.map(|addr| ("WXOPS_METRICS_LISTEN", addr)));
        #[cfg(feature = "sandbox")]
        if self.sandbox {
            return super::with_sandbox::run(sources, hangups, context).await;
        }
        let mut config = crate::config::Config::load(&sources)?;
        // Alarms are told in the language of whoever started it.
        config.lang = Some(context.out.lang);
        servable(&config)?;
        Server::start(config, Again { sources, hangups }).await?.run().await
    }
}
