//! A module's manifest: what a service, an engine or an app adds to the kernel.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{http::HeaderMap, response::Response};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    accounts::Accounts,
    db::{Migration, TenantTx},
    error::{Error, Result},
    events::{Consumer, ConsumerHandler},
    import_template::ImportTemplate,
    jobs::{Job, JobHandler},
    kernel::Kernel,
    notify::NotificationKind,
    permission::PermissionDef,
    secrets::SealedColumn,
};

/// The routes of a module, with their documentation.
pub type Routes = OpenApiRouter<Kernel>;

type MakeRoutes = Arc<dyn Fn() -> Routes + Send + Sync>;
/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Start = Arc<dyn Fn(Kernel) -> BoxFuture<'static, Result<()>> + Send + Sync>;
type Work = Arc<dyn Fn(Kernel) -> BoxFuture<'static, ()> + Send + Sync>;
type Demo = Arc<dyn for<'a> Fn(&'a TenantTx, u64) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// Gives an error the form that the clients of a module's paths expect.
pub type ErrorForm = fn(&Error, &HeaderMap) -> Response;

/// What OPTIONS says of a module's paths, beside the permissions of browsers.
pub type Abilities = fn(&Kernel) -> HeaderMap;

/// What a module adds. Made with [`Module::new`] and the methods named after its parts.
#[derive(Clone)]
pub struct Module {
    /// One word, the same everywhere: folder, schema, first part of permissions, path under `/api/v1`.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// Whether it is an app, that an organisation can have and navigation shows.
    pub is_app: bool,
    /// Its SQL schema; empty if it has none.
    pub schema: &'static str,
    /// Its migrations in order.
    pub migrations: &'static [Migration],
    /// Its permissions.
    pub permissions: &'static [PermissionDef],
    /// Schemas that the data API shows.
    pub api_schemas: Vec<&'static str>,
    /// Its kinds of jobs.
    pub jobs: Vec<JobHandler>,
    /// What it does when something has happened, here or elsewhere.
    pub consumers: Vec<ConsumerHandler>,
    /// Topics of live news, by the part before the colon, with the permission each asks for.
    pub topics: Vec<(&'static str, &'static str)>,
    /// Topics of live news of which everybody hears their own: `name:<id of the person>`.
    pub own_topics: Vec<&'static str>,
    /// What it tells people.
    pub notifications: &'static [NotificationKind],
    /// What can be imported into it.
    pub templates: Vec<Arc<dyn ImportTemplate>>,
    /// What it keeps of people.
    pub accounts: Option<Arc<dyn Accounts>>,
    /// Paths that begin so answer errors in a form of their own.
    pub error_form: Option<(&'static str, ErrorForm)>,
    /// Paths that begin so have headers of their own in answers to OPTIONS.
    pub abilities: Option<(&'static str, Abilities)>,
    /// Its columns of sealed values.
    pub sealed: Vec<SealedColumn>,
    routes: Option<MakeRoutes>,
    start: Option<Start>,
    work: Option<Work>,
    task: Option<Work>,
    demo: Option<Demo>,
}

impl Module {
    /// A module of the kernel or an engine.
    pub fn new(name: &'static str, title: &'static str) -> Self {
        Self {
            name,
            title,
            is_app: false,
            schema: "",
            migrations: &[],
            permissions: &[],
            api_schemas: Vec::new(),
            jobs: Vec::new(),
            consumers: Vec::new(),
            topics: Vec::new(),
            own_topics: Vec::new(),
            notifications: &[],
            templates: Vec::new(),
            accounts: None,
            error_form: None,
            abilities: None,
            sealed: Vec::new(),
            routes: None,
            start: None,
            work: None,
            task: None,
            demo: None,
        }
    }

    /// An app; its schema is named after it.
    pub fn app(name: &'static str, title: &'static str) -> Self {
        Self {
            is_app: true,
            schema: name,
            ..Self::new(name, title)
        }
    }

    /// Its SQL schema and migrations.
    #[must_use]
    pub fn tables(mut self, schema: &'static str, migrations: &'static [Migration]) -> Self {
        self.schema = schema;
        self.migrations = migrations;
        self
    }

    /// Its permissions.
    #[must_use]
    pub fn permissions(mut self, permissions: &'static [PermissionDef]) -> Self {
        self.permissions = permissions;
        self
    }

    /// Shows a schema through the data API.
    #[must_use]
    pub fn api_schema(mut self, schema: &'static str) -> Self {
        self.api_schemas.push(schema);
        self
    }

    /// Adds a kind of job.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        self.jobs.push(JobHandler::of::<J>());
        self
    }

    /// Adds a consumer of events.
    #[must_use]
    pub fn consumer<C: Consumer>(mut self) -> Self {
        self.consumers.push(ConsumerHandler::of::<C>());
        self
    }

    /// Declares a column of sealed values, so that they are sealed anew when keys are rotated. Its table is one of the kernel's own.
    #[must_use]
    pub fn sealed(mut self, column: SealedColumn) -> Self {
        self.sealed.push(column);
        self
    }

    /// Lets members with a permission listen to topics that begin with `prefix:`.
    #[must_use]
    pub fn topic(mut self, prefix: &'static str, permission: &'static str) -> Self {
        self.topics.push((prefix, permission));
        self
    }

    /// Lets each person listen to the topic `prefix:<their id>`, and nobody else.
    #[must_use]
    pub fn own_topic(mut self, prefix: &'static str) -> Self {
        self.own_topics.push(prefix);
        self
    }

    /// The kinds of notifications it has.
    #[must_use]
    pub fn notifications(mut self, kinds: &'static [NotificationKind]) -> Self {
        self.notifications = kinds;
        self
    }

    /// Adds an import template.
    #[must_use]
    pub fn template(mut self, template: impl ImportTemplate + 'static) -> Self {
        self.templates.push(Arc::new(template));
        self
    }

    /// What it keeps of people, and how it lets go of them.
    #[must_use]
    pub fn accounts(mut self, accounts: impl Accounts + 'static) -> Self {
        self.accounts = Some(Arc::new(accounts));
        self
    }

    /// Answers OPTIONS of paths below a prefix with further headers.
    #[must_use]
    pub fn abilities(mut self, prefix: &'static str, abilities: Abilities) -> Self {
        self.abilities = Some((prefix, abilities));
        self
    }

    /// Its routes, with full paths.
    #[must_use]
    pub fn routes(mut self, routes: impl Fn() -> Routes + Send + Sync + 'static) -> Self {
        self.routes = Some(Arc::new(routes));
        self
    }

    /// What it does once when the server starts, after migrations and before the first request.
    #[must_use]
    pub fn on_start<F>(mut self, start: impl Fn(Kernel) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.start = Some(Arc::new(move |kernel| Box::pin(start(kernel))));
        self
    }

    /// What it does in the background for as long as the server works on jobs; it is dropped when the server stops.
    #[must_use]
    pub fn worker<F>(mut self, work: impl Fn(Kernel) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.work = Some(Arc::new(move |kernel| Box::pin(work(kernel))));
        self
    }

    /// Answers errors below a path in the form of another protocol, those included that come before its handlers.
    #[must_use]
    pub fn error_form(mut self, prefix: &'static str, form: ErrorForm) -> Self {
        self.error_form = Some((prefix, form));
        self
    }

    /// What it does beside requests as long as the server runs, from after [`Module::on_start`] on. It ends by being dropped.
    #[must_use]
    pub fn task<F>(mut self, task: impl Fn(Kernel) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.task = Some(Arc::new(move |kernel| Box::pin(task(kernel))));
        self
    }

    /// Fills a demo organisation with believable data; the number tells organisations apart.
    #[must_use]
    pub fn demo(
        mut self,
        demo: impl for<'a> Fn(&'a TenantTx, u64) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.demo = Some(Arc::new(demo));
        self
    }

    /// The routes, or an empty router.
    pub fn make_routes(&self) -> Routes {
        self.routes.as_ref().map_or_else(Routes::new, |routes| routes())
    }

    /// Runs what [`Module::on_start`] was given.
    pub async fn start(&self, kernel: Kernel) -> Result<()> {
        match &self.start {
            Some(start) => start(kernel).await,
            None => Ok(()),
        }
    }

    /// What [`Module::worker`] was given, begun.
    pub fn work(&self, kernel: Kernel) -> Option<BoxFuture<'static, ()>> {
        self.work.as_ref().map(|work| work(kernel))
    }

    /// What [`Module::task`] was given.
    pub fn make_task(&self, kernel: Kernel) -> Option<impl Future<Output = ()> + Send + 'static + use<>> {
        self.task.as_ref().map(|task| task(kernel))
    }

    /// Runs what [`Module::demo`] was given.
    pub async fn load_demo(&self, tx: &TenantTx, number: u64) -> Result<()> {
        match &self.demo {
            Some(demo) => demo(tx, number).await,
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
