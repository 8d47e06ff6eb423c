//! The demo: two organisations with people of different roles and the data that the apps bring. All of it is plainly
//! fictional.

use serde_json::json;
use tenon_sdk::{Ctx, OrgId, Result, SystemTx, UserId, permission::Role};
use tenon_services::{
    identity::NewUser,
    operator,
    server::Server,
    tenancy::{self, NewOrganization},
};

/// The password of all demo people.
pub const PASSWORD: &str = "tenon-demo";

struct Person {
    email: &'static str,
    name: &'static str,
    role: Role,
}

const fn person(email: &'static str, name: &'static str, role: Role) -> Person {
    Person { email, name, role }
}

/// Organisations with their people; the owner first.
const ORGANIZATIONS: [(&str, &[Person]); 2] = [
    (
        "Harbour Works",
        &[
            person("olivia@harbour.example.com", "Olivia Owner", Role::Owner),
            person("adam@harbour.example.com", "Adam Admin", Role::Admin),
            person("maya@harbour.example.com", "Maya Manager", Role::Manager),
            person("mark@harbour.example.com", "Mark Member", Role::Member),
            person("vera@harbour.example.com", "Vera Viewer", Role::Viewer),
        ],
    ),
    (
        "Northern Rail Yard",
        &[
            person("oscar@railyard.example.com", "Oscar Owner", Role::Owner),
            person("mina@railyard.example.com", "Mina Manager", Role::Manager),
            person("victor@railyard.example.com", "Victor Viewer", Role::Viewer),
        ],
    ),
];

/// Who runs the installation; belongs to no organisation.
const OPERATOR: Person = person("opal@tenon.example.com", "Opal Operator", Role::Viewer);

/// The logins, as text for the terminal.
pub fn logins() -> String {
    let people = ORGANIZATIONS.iter().flat_map(|(organization, people)| {
        people.iter().map(move |person| {
            let role = person.role.as_str();
            format!("  {:<30} {role:<8} of {organization}\n", person.email)
        })
    });
    std::iter::once(format!("\nDemo logins (password of all: {PASSWORD})\n"))
        .chain(people)
        .chain([format!(
            "  {:<30} operator of the installation, at /operator\n",
            OPERATOR.email
        )])
        .collect()
}

/// Loads the demo if nobody has signed up yet.
pub async fn load(server: &Server) -> Result<()> {
    let kernel = server.kernel();
    let tx = SystemTx::begin(kernel.db(), "demo").await?;
    let empty = tx
        .query("select 1 from tenancy.organizations limit 1", &[])
        .await?
        .is_empty();
    tx.commit().await?;
    if !empty {
        return Ok(());
    }
    tracing::info!("loading the demo");
    for (number, (name, people)) in (1..).zip(&ORGANIZATIONS) {
        let mut organization = None;
        for person in *people {
            let user = find_or_create(server, person).await?;
            match organization {
                None => {
                    let new = NewOrganization {
                        name: (*name).to_owned(),
                    };
                    let made = tenancy::create_organization(kernel, user, &new).await?;
                    organization = Some((OrgId(made.id), user));
                }
                Some((org, _)) => tenancy::add_member(kernel, org, user, person.role).await?,
            }
        }
        let Some((org, owner)) = organization else {
            continue;
        };
        let tx = SystemTx::begin(kernel.db(), "demo").await?;
        tx.execute(
            "update tenancy.organizations set plan = 'business' where id = $1",
            &[&org],
        )
        .await?;
        tx.commit().await?;
        let tx = Ctx::for_job(kernel.clone(), org, Some(owner)).begin().await?;
        for module in kernel.modules() {
            module.load_demo(&tx, number).await?;
        }
        tx.commit().await?;
    }
    let operator = find_or_create(server, &OPERATOR).await?;
    operator::set_operator(kernel, operator, true).await
}

/// A demo that was interrupted goes on where it stopped.
async fn find_or_create(server: &Server, person: &Person) -> Result<UserId> {
    let tx = SystemTx::begin(server.kernel().db(), "demo").await?;
    let known = tx
        .query_opt("select id from auth.users where email = $1", &[&person.email])
        .await?;
    tx.commit().await?;
    if let Some(row) = known {
        return Ok(row.try_get(0)?);
    }
    let data = json!({ "name": person.name });
    let new = NewUser {
        email: person.email,
        password: PASSWORD,
        data: &data,
    };
    Ok(UserId(server.identity().create_user(new).await?.id))
}
