//! Running the server: database, modules, port, orderly end.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tenon_sdk::{
    Kernel,
    config::Config,
    db::{DbOptions, RUNTIME_LOGIN, parse_url},
    env::Env,
    http::{Forgiving, Peer, Prompt},
};
use tenon_services::{
    jobs,
    postgres::{Cluster, ClusterOptions, SUPERUSER},
    server::Server,
};
use tokio::{net::TcpListener, sync::Notify};

use crate::{assets, demo, stand_in};

/// What this process does.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// Answers requests; otherwise it only works on jobs.
    pub listen: bool,
    /// Loads the demo into an empty database.
    pub demo: bool,
}

/// Runs until the process is told to stop.
pub async fn run(mut config: Config, options: ServeOptions) -> anyhow::Result<()> {
    // The port first: when it is taken, nothing else should have been started.
    let listener = if options.listen {
        Some(listen(&mut config).await?)
    } else {
        None
    };
    let (database, cluster) = open_database(&config, options.listen).await?;
    let reload = Arc::new(Notify::new());
    let modules = crate::modules(&reload);
    let address = config.server.site_url.clone();
    let mailbox = config.mail.mailbox;
    let mut server = Server::start(Env::real(), config.clone(), database, reload, modules).await?;
    if let Some(cluster) = &cluster {
        jobs::release_all(server.kernel()).await?;
        stand_in::furnish(&config, cluster).await?;
    }
    if options.demo {
        demo::load(&server).await?;
    }
    server.start_workers();
    watched(&config, &server).await?;
    let kernel = server.kernel().clone();
    if let Some(listener) = listener {
        stand_in::catch_mail(&config, &server).await?;
        let router = stand_in::at_root(&config, server.router_and(assets::pages()));
        announce(&address, options.demo, mailbox);
        serve(listener, router, &kernel).await?;
    } else {
        tracing::info!("working on jobs");
        told_to_stop(&kernel).await;
    }
    tracing::info!("stopping");
    server.stop().await;
    if let Some(cluster) = cluster {
        cluster.stop().await;
    }
    Ok(())
}

async fn listen(config: &mut Config) -> anyhow::Result<TcpListener> {
    let wanted = (config.server.bind.clone(), config.server.port);
    let listener = TcpListener::bind(&wanted).await.with_context(|| {
        format!(
            "cannot listen on {}:{}; choose another port with --port",
            wanted.0, wanted.1
        )
    })?;
    if config.server.site_url.is_empty() {
        let address = listener.local_addr()?;
        let host = if address.ip().is_loopback() || address.ip().is_unspecified() {
            "localhost".to_owned()
        } else {
            address.ip().to_string()
        };
        config.server.site_url = format!("http://{host}:{}", address.port());
        if host == "localhost" {
            // People type either; a link in a mail leads back to the one where they asked for it.
            let same = format!("http://127.0.0.1:{}", address.port());
            config.auth.redirect_urls.push(same);
        }
    }
    Ok(listener)
}

async fn open_database(config: &Config, private: bool) -> anyhow::Result<(DbOptions, Option<Cluster>)> {
    let options = |admin, runtime| DbOptions {
        admin,
        runtime,
        pool_size: config.database.pool_size,
        pipeline_connections: config.database.pipeline_connections,
        pipeline_write_connections: config.database.pipeline_write_connections,
        pipeline_timeout: Duration::from_millis(config.database.pipeline_timeout_ms),
        record_statements: false,
    };
    if !config.database.url.is_empty() {
        return Ok((options(parse_url(&config.database.url)?, None), None));
    }
    if !private {
        bail!("`tenon work` needs the database that the servers use: set DATABASE_URL");
    }
    let cluster = Cluster::start(ClusterOptions {
        listen: stand_in::listen(config)?,
        ..ClusterOptions::new(&config.database.data_dir)
    })
    .await?;
    let name = &config.database.name;
    cluster.ensure_database(name).await?;
    tracing::info!(version = %cluster.version(), "private PostgreSQL is up");
    let admin = cluster.connection(SUPERUSER, name);
    let runtime = cluster.connection(RUNTIME_LOGIN, name);
    Ok((options(admin, Some(runtime)), Some(cluster)))
}

async fn serve(listener: TcpListener, router: axum::Router, kernel: &Kernel) -> anyhow::Result<()> {
    let drain = Duration::from_secs(kernel.config().server.drain_seconds);
    let (told, stopping) = (kernel.clone(), kernel.stopping().clone());
    let router = router.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(Forgiving(Prompt(listener)), router)
        .with_graceful_shutdown(async move { told_to_stop(&told).await });
    // Requests that take for ever must not keep a stopping server.
    tokio::select! {
        result = serving.into_future() => Ok(result?),
        () = async { stopping.closed().await; tokio::time::sleep(drain).await } => {
            tracing::warn!("requests are given up: they were not answered in time");
            Ok(())
        }
    }
}

/// Waits until the process is told to stop and has taken leave for as long as it is to.
async fn told_to_stop(kernel: &Kernel) {
    stop_signal().await;
    kernel.stopping().leave();
    let leave = Duration::from_secs(kernel.config().server.leave_seconds);
    if !leave.is_zero() {
        tracing::info!(seconds = leave.as_secs(), "taking leave");
        tokio::time::sleep(leave).await;
    }
    kernel.stopping().close();
}

/// Serves what is for those who run the server alone, if they say where.
async fn watched(config: &Config, server: &Server) -> anyhow::Result<()> {
    let address = &config.telemetry.listen;
    if address.is_empty() {
        return Ok(());
    }
    let listener = TcpListener::bind(address.as_str())
        .await
        .with_context(|| format!("cannot listen on {address} (telemetry.listen)"))?;
    tracing::info!(address = %listener.local_addr()?, "figures are at /metrics");
    let router = server.inner_router();
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the listener of figures ended: {error}");
        }
    });
    Ok(())
}

/// Waits until the process is told to stop.
pub async fn stop_signal() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! { () = interrupted => {}, () = terminated => {} }
}

#[allow(clippy::print_stdout)] // for the person at the terminal, not the log
fn announce(address: &str, demo: bool, mailbox: bool) {
    println!("\nTenon is ready at {address}");
    if demo {
        println!("{}", demo::logins());
    }
    if mailbox {
        println!("Mail it would send is at {address}/mailbox\n");
    }
    println!("Press Ctrl+C to stop.\n");
}
