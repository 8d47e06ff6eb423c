//! Putting a server together from modules: migrations, routes, background tasks. Which modules there are is decided by
//! the binary, or by a test.

mod figures;
mod observe;
mod router;

use std::{sync::Arc, time::Duration};

use tenon_sdk::{
    Kernel, Module, Result,
    config::Config,
    db::{Db, DbOptions},
    env::Env,
    secrets::Secrets,
};
use tenon_secrets::Keeper;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use utoipa::openapi::OpenApi;

use crate::{
    access, events,
    identity::{Identity, sweep},
    jobs, notifications, operator, tenancy, webhooks,
};

/// A server that is ready to answer.
pub struct Server {
    kernel: Kernel,
    identity: Identity,
    router: axum::Router,
    openapi: OpenApi,
    wake: Arc<jobs::Wake>,
    happened: Arc<events::Wake>,
    reload: Arc<Notify>,
    observer: observe::Observer,
    tasks: tokio::task::JoinSet<()>,
    jobs: Option<AbortOnDropHandle<()>>,
}

/// The kernel's own services, then the given modules.
pub fn all_modules(identity: &Identity, others: Vec<Module>) -> Vec<Module> {
    let mut modules = vec![
        identity.module(),
        tenancy::module(),
        tenon_secrets::module(),
        access::module(),
        operator::module(),
        events::module(),
        jobs::module(),
        // After those whose rows its policies and functions read.
        notifications::module(),
        webhooks::module(),
    ];
    modules.extend(others);
    modules
}

impl Server {
    /// Migrates the database and starts the modules. `reload` wakes whoever keeps a copy of the schema.
    pub async fn start(
        env: Env,
        config: Config,
        database: DbOptions,
        reload: Arc<Notify>,
        modules: Vec<Module>,
    ) -> Result<Self> {
        let db = Db::new(database)?;
        let keeper = Keeper::new(db.clone(), env.clone(), &config)?;
        let secrets: Arc<dyn Secrets> = Arc::new(keeper.clone());
        let identity = Identity::new(db.clone(), env.clone(), config.clone(), secrets.clone());
        let modules = all_modules(&identity, modules);
        let steps: Vec<_> = modules.iter().map(|m| (m.name, m.schema, m.migrations)).collect();
        db.migrate(&steps).await?;
        Box::pin(keeper.check()).await?;
        let sealed: Vec<_> = modules.iter().flat_map(|module| module.sealed.clone()).collect();
        Box::pin(keeper.adopt(&sealed)).await?;
        let sessions = Arc::new(identity.verifier());
        let authenticator = Arc::new(access::KeyAuthenticator::new(
            db.clone(),
            env.clone(),
            secrets.clone(),
            sessions,
        ));
        let kernel = Kernel::new(env, config, db, authenticator, secrets, modules);
        if let slow @ 1.. = kernel.config().telemetry.slow_statement_ms {
            kernel.db().tell_slow(Duration::from_millis(slow));
        }
        figures::register(&kernel);
        jobs::watch(&kernel);
        for module in kernel.modules() {
            module.start(kernel.clone()).await?;
        }
        let observer = observe::Observer::new(&kernel);
        let (router, openapi) = router::build(&kernel, &observer);
        let mut server = Self {
            kernel,
            identity,
            router,
            openapi,
            wake: Arc::default(),
            happened: Arc::default(),
            reload,
            observer,
            tasks: tokio::task::JoinSet::new(),
            jobs: None,
        };
        server.tasks.spawn(events::listen(
            server.kernel.clone(),
            server.wake.clone(),
            server.happened.clone(),
            server.reload.clone(),
        ));
        for module in server.kernel.modules() {
            if let Some(task) = module.make_task(server.kernel.clone()) {
                server.tasks.spawn(task);
            }
        }
        Ok(server)
    }

    /// Starts taking jobs, handing out events and sending mail.
    pub fn start_workers(&mut self) {
        // Apart from the others: it ends by itself when the server takes leave.
        let work = tokio::spawn(jobs::work(self.kernel.clone(), self.wake.clone()));
        self.jobs = Some(AbortOnDropHandle::new(work));
        self.tasks
            .spawn(events::work(self.kernel.clone(), self.happened.clone()));
        self.tasks.spawn(sweep::work(self.kernel.clone()));
        let hooks = self.identity.hooks();
        self.tasks.spawn(notifications::work(self.kernel.clone(), hooks));
        self.tasks.spawn(tenancy::work(self.kernel.clone()));
        for module in self.kernel.modules() {
            if let Some(work) = module.work(self.kernel.clone()) {
                self.tasks.spawn(work);
            }
        }
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The identity service.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// All routes.
    pub fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// All routes, and what answers where there is none.
    pub fn router_and(&self, pages: axum::routing::MethodRouter) -> axum::Router {
        let observed = axum::middleware::from_fn_with_state(self.observer.clone(), observe::observe);
        self.router().fallback_service(pages.layer(observed))
    }

    /// `/metrics`, `/healthz` and `/readyz` for a listener that nobody reaches but those who run the server.
    pub fn inner_router(&self) -> axum::Router {
        router::inner(&self.kernel)
    }

    /// The description of all commands.
    pub fn openapi(&self) -> &OpenApi {
        &self.openapi
    }

    /// Takes leave and closes: jobs that run have `server.drain_seconds` to end, and are given back then. Then background work stops and
    /// the database is closed.
    pub async fn stop(mut self) {
        self.kernel.stopping().close();
        if let Some(jobs) = self.jobs.take()
            && let Err(error) = jobs.await
        {
            tracing::error!(%error, "the work on jobs ended badly");
        }
        self.tasks.shutdown().await;
        self.kernel.db().close();
    }

    /// Drops everything as it is, as a crash would.
    pub async fn abandon(mut self) {
        if let Some(jobs) = self.jobs.take() {
            jobs.abort();
            let _ = jobs.await;
        }
        self.tasks.shutdown().await;
        self.kernel.db().close();
    }
}

/// The description of the commands of the kernel's services and of the given modules. Reaches no database.
pub fn describe_with_services(modules: Vec<Module>) -> OpenApi {
    let identity = Identity::describe_only();
    router::describe(&all_modules(&identity, modules)).1
}
