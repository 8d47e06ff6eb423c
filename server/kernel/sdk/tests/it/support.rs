//! A small app with notes, and two organisations that must never see each other's.

use std::time::Duration;

use tenon_sdk::{
    Ctx, Error, Kernel, Module, OrgId,
    db::{Db, DbOptions, Migration, OrgSelector, Param, Reply, RequestContext, Statement, Surroundings},
};
use tenon_testkit::{TestServer, TestServerOptions, TestUser};

tenon_sdk::permissions! {
    pub NotesRead = "notes.items.read", from Viewer, "See notes";
    pub NotesWrite = "notes.items.write", from Member, "Write notes";
}

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_items",
    sql: "create table notes.items (
              org_id uuid not null, id uuid not null, body text not null, primary key (org_id, id));
          select kernel.tenant_table('notes.items', read => 'notes.items.read', write => 'notes.items.write',
              api => '{select,insert,update,delete}');",
}];

fn app() -> Module {
    Module::app("notes", "Notes")
        .tables("notes", MIGRATIONS)
        .permissions(ALL)
}

/// An organisation with its owner and one note, whose text is the organisation's name.
pub struct Party {
    pub name: &'static str,
    pub org: OrgId,
    pub slug: String,
    pub user: TestUser,
    kernel: Kernel,
}

impl Party {
    /// The owner's request, as the data API makes it.
    pub fn context(&self) -> RequestContext {
        RequestContext {
            role: "authenticated",
            user: Some(self.user.id),
            key: None,
            claims: format!(
                r#"{{"sub":"{}","role":"authenticated","mark":"{}"}}"#,
                self.user.id, self.name
            )
            .into(),
            org: OrgSelector::Id(self.org.0),
            request: Some(("GET".to_owned(), format!("/{}", self.name))),
            read_only: false,
            time_zone: None,
            surroundings: Surroundings::default(),
        }
    }

    /// The same, refusing writes.
    pub fn reading(&self) -> RequestContext {
        RequestContext {
            read_only: true,
            ..self.context()
        }
    }

    /// The server at work for the organisation.
    pub fn ctx(&self) -> Ctx {
        Ctx::for_job(self.kernel.clone(), self.org, Some(self.user.id))
    }

    /// What [`WHO`] must answer.
    pub fn identity(&self) -> Vec<Option<String>> {
        let (org, user) = (self.org.to_string(), self.user.id.to_string());
        [
            &org,
            &user,
            self.name,
            &format!("/{}", self.name),
            self.name,
            "authenticated",
        ]
        .map(|text: &str| Some(text.to_owned()))
        .to_vec()
    }
}

/// Everything a request may know of who is asking, and whose rows it sees.
pub const WHO: &str = "select tenancy.org_id()::text, auth.uid()::text, auth.jwt() ->> 'mark', \
    current_setting('request.path', true), (select string_agg(distinct body, ',') from notes.items), current_user::text";

/// A server with two parties.
pub struct House {
    pub server: TestServer,
    pub ada: Party,
    pub bea: Party,
}

/// A house whose requests share one pipelined connection, and whose transactions share two.
pub async fn house() -> House {
    house_with(|options| {
        options.pool_size = 2;
        options.pipeline_connections = 1;
    })
    .await
}

/// A house that reaches its database in a way of its own.
pub async fn house_with(database: fn(&mut DbOptions)) -> House {
    let options = TestServerOptions {
        database: Some(database),
        no_workers: true,
        ..TestServerOptions::default()
    };
    let server = TestServer::start_with(vec![app()], options).await;
    let (ada, bea) = (party(&server, "ada").await, party(&server, "bea").await);
    House { server, ada, bea }
}

async fn party(server: &TestServer, name: &'static str) -> Party {
    let org = server.organization(name).await;
    let (id, kernel) = (server.kernel().env().new_id(), server.kernel().clone());
    let sql = "insert into notes.items (org_id, id, body) values ($1, $2, $3)";
    server
        .admin()
        .await
        .execute(sql, &[&org.id, &id, &name])
        .await
        .unwrap();
    Party {
        name,
        org: org.id,
        slug: org.slug,
        user: org.owner,
        kernel,
    }
}

impl House {
    pub fn db(&self) -> &Db {
        self.server.kernel().db()
    }

    /// Notes in the database, whoever's.
    pub async fn notes(&self) -> i64 {
        self.server
            .admin()
            .await
            .query_one("select count(*) from notes.items", &[])
            .await
            .unwrap()
            .get(0)
    }

    /// Ends all connections of the running server and waits until they are gone.
    pub async fn kill_connections(&self) {
        let admin = self.server.admin().await;
        let of_server =
            "from pg_stat_activity where datname = current_database() and usename = 'tenon_authenticator'";
        admin
            .query(
                &format!("select pg_terminate_backend(pid, 10000) {of_server}"),
                &[],
            )
            .await
            .unwrap();
    }
}

/// A statement without values.
pub fn statement(sql: &str) -> Statement {
    Statement {
        sql: sql.into(),
        params: Vec::new(),
    }
}

/// A statement with text values.
pub fn with(sql: &str, values: &[&str]) -> Statement {
    Statement {
        sql: sql.into(),
        params: values.iter().map(|value| Param::text(*value)).collect(),
    }
}

/// The only row of a reply, as texts.
pub fn row(reply: &Reply) -> Vec<Option<String>> {
    assert_eq!(reply.rows.len(), 1, "one row: {reply:?}");
    reply.rows[0]
        .iter()
        .map(|value| value.as_ref().map(|v| String::from_utf8(v.to_vec()).unwrap()))
        .collect()
}

/// Who a request is, according to the database.
pub async fn who(db: &Db, context: &RequestContext) -> Result<Vec<Option<String>>, Error> {
    db.run(context, statement(WHO)).await.map(|reply| row(&reply))
}

/// Waits for something that must become true soon.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("within half a minute: {what}");
}
