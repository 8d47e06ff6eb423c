//! The shape of every table: what scale-out and the wall between organisations rest on. A table that breaks a rule
//! breaks a test here before it holds a row.

use tokio_postgres::Client;

use crate::support::database;

/// Tables of the modules, as opposed to those of PostgreSQL.
const OURS: &str = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/// Fails with everything that a query finds; `rule` says what to do about it.
pub async fn none(admin: &Client, rule: &str, sql: &str) {
    let rows = admin
        .query(sql, &[])
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(found.is_empty(), "\n{rule}\nFound:\n  {}\n", found.join("\n  "));
}

#[tokio::test]
async fn every_table_says_which_kind_it_is() {
    let database = database().await;
    none(
        &database.admin().await,
        "Declare each table in its migration: kernel.tenant_table, kernel.shared_table or kernel.system_table.",
        &format!(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where c.relkind in ('r', 'p', 'f', 'm') and not c.relispartition and {OURS} \
             and not exists (select from kernel.tables t where t.relation = c.oid)"
        ),
    )
    .await;
}

#[tokio::test]
async fn every_tenant_table_names_its_organisation_in_a_column_that_is_never_null() {
    let database = database().await;
    none(
        &database.admin().await,
        "A tenant table begins with `org_id uuid not null`.",
        "select t.relation::text from kernel.tables t where t.kind = 'tenant' and not exists ( \
         select from pg_attribute a where a.attrelid = t.relation and a.attname = 'org_id' and a.attnotnull \
         and a.atttypid = 'uuid'::regtype)",
    )
    .await;
}

#[tokio::test]
async fn the_organisation_comes_first_in_every_key_and_index_of_a_tenant_table() {
    let database = database().await;
    let admin = database.admin().await;
    none(
        &admin,
        "A tenant table has a primary key, and it begins with org_id.",
        "select t.relation::text from kernel.tables t where t.kind = 'tenant' and not exists ( \
         select from pg_index i where i.indrelid = t.relation and i.indisprimary)",
    )
    .await;
    none(
        &admin,
        "Put org_id first in this index, so that it is used under row-level security and can be distributed.",
        "select t.relation || ': ' || i.indexrelid::regclass from kernel.tables t \
         join pg_index i on i.indrelid = t.relation \
         left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] \
         where t.kind = 'tenant' and a.attname is distinct from 'org_id'",
    )
    .await;
}

#[tokio::test]
async fn references_stay_inside_one_organisation() {
    let database = database().await;
    let admin = database.admin().await;
    none(
        &admin,
        "A foreign key of a tenant table pairs org_id with org_id first, on both sides; it leads to a tenant table.",
        "select c.conrelid::regclass || ': ' || c.conname from pg_constraint c \
         left join kernel.tables f on f.relation = c.conrelid left join kernel.tables t on t.relation = c.confrelid \
         left join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] \
         left join pg_attribute b on b.attrelid = c.confrelid and b.attnum = c.confkey[1] \
         where c.contype = 'f' and 'tenant' in (f.kind, t.kind) \
         and (f.kind, t.kind, a.attname, b.attname) is distinct from ('tenant', 'tenant', 'org_id', 'org_id')",
    )
    .await;
    none(
        &admin,
        "SET NULL and SET DEFAULT would touch org_id: use no action, restrict or cascade.",
        "select c.conrelid::regclass || ': ' || c.conname from pg_constraint c \
         join kernel.tables t on t.relation = c.conrelid \
         where c.contype = 'f' and t.kind = 'tenant' and (c.confdeltype in ('n', 'd') or c.confupdtype in ('n', 'd'))",
    )
    .await;
}

#[tokio::test]
async fn nothing_is_numbered_by_a_sequence() {
    let database = database().await;
    let admin = database.admin().await;
    none(
        &admin,
        "Ids are UUIDv7 made by the server; numbers of documents come from a counter row of the organisation.",
        &format!(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where c.relkind = 'S' and {OURS} and c.oid <> 'auth.refresh_tokens_id_seq'::regclass"
        ),
    )
    .await;
    none(
        &admin,
        "No identity columns: ids are UUIDv7 made by the server.",
        "select t.relation || '.' || a.attname from kernel.tables t \
         join pg_attribute a on a.attrelid = t.relation where a.attidentity <> ''",
    )
    .await;
}

#[tokio::test]
async fn row_level_security_is_on_everywhere_and_forced_where_tenants_are() {
    let database = database().await;
    none(
        &database.admin().await,
        "Declare the table with the kernel's functions, which switch row-level security on; never switch it off.",
        "select t.relation || ' (' || t.kind || ')' from kernel.tables t join pg_class c on c.oid = t.relation \
         where (not c.relrowsecurity or t.kind = 'tenant' and not c.relforcerowsecurity) \
         and t.relation not in ('kernel.tables'::regclass, 'kernel.migrations'::regclass)",
    )
    .await;
}

#[tokio::test]
async fn a_tenant_table_has_one_permissive_policy_for_each_command_and_no_other() {
    let database = database().await;
    let admin = database.admin().await;
    none(
        &admin,
        "Policies are permissive: a restrictive one is not distributed and hides what the others say.",
        // Rows of these may belong to no organisation, and policies of the operator's own let in to them; they are no tenant tables.
        "select polrelid::regclass || ': ' || polname from pg_policy where not polpermissive \
         and polrelid not in ('storage.objects'::regclass, 'realtime.messages'::regclass)",
    )
    .await;
    none(
        &admin,
        "Put all conditions of a command into its one policy; FOR ALL counts for none of the four.",
        "select t.relation || ': ' || p.polcmd::text || ' has ' || count(*) from kernel.tables t \
         join pg_policy p on p.polrelid = t.relation where t.kind = 'tenant' \
         group by t.relation, p.polcmd having count(*) > 1 or p.polcmd = '*'",
    )
    .await;
    none(
        &admin,
        "A role has a right on a tenant table for which there is no policy.",
        "select distinct t.relation || ': ' || a.privilege_type from kernel.tables t \
         join pg_class c on c.oid = t.relation cross join aclexplode(c.relacl) a \
         where t.kind = 'tenant' and a.grantee <> c.relowner and not exists ( \
         select from pg_policy p where p.polrelid = t.relation and p.polcmd = case a.privilege_type \
         when 'SELECT' then 'r' when 'INSERT' then 'a' when 'UPDATE' then 'w' when 'DELETE' then 'd' end::\"char\")",
    )
    .await;
}

#[tokio::test]
async fn every_policy_begins_with_the_wall_and_reads_nothing_but_the_row_and_the_context() {
    let database = database().await;
    let admin = database.admin().await;
    let rows = admin
        .query(
            "select t.relation::text, p.polname::text, pg_get_expr(p.polqual, p.polrelid), \
             pg_get_expr(p.polwithcheck, p.polrelid) from kernel.tables t \
             join pg_policy p on p.polrelid = t.relation where t.kind = 'tenant'",
            &[],
        )
        .await
        .unwrap();
    assert!(!rows.is_empty(), "there are tenant tables");
    for row in rows {
        let (table, policy): (String, String) = (row.get(0), row.get(1));
        for expression in [row.get::<_, Option<String>>(2), row.get(3)]
            .into_iter()
            .flatten()
        {
            let faults = faults(&expression);
            assert!(
                faults.is_empty(),
                "\npolicy {policy} of {table}: {expression}\n{}\nLet kernel.tenant_table write it; a condition of its \
                 own reads only the row and the request's context.\n",
                faults.join("\n")
            );
        }
    }
}

/// What is wrong with a policy's expression, as PostgreSQL prints it.
fn faults(expression: &str) -> Vec<String> {
    const WALL: &str = "org_id = tenancy.org_id()";
    let mut faults = Vec::new();
    // What a check asks of the context it may ask once a statement.
    let expression = &expression
        .replace("( SELECT tenancy.org_id() AS org_id)", "tenancy.org_id()")
        .replace("( SELECT tenancy.org_if('", "tenancy.org_if('")
        .replace("'::text) AS org_if)", "'::text)");
    // PostgreSQL prints a flat list of ANDs in one pair of brackets, so this shape admits no OR at the top.
    let whole = format!("({WALL})");
    if *expression != whole && !expression.starts_with(&format!("(({WALL}) AND ")) {
        faults.push(format!("It must begin with `{WALL} and`."));
    }
    let code = without_literals(expression);
    if code
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("select"))
    {
        faults.push("It has a subquery.".to_owned());
    }
    for called in calls(&code) {
        if !called.starts_with("tenancy.") && !called.starts_with("auth.") {
            faults.push(format!("It calls {called}."));
        }
    }
    faults
}

fn without_literals(text: &str) -> String {
    text.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// Names directly before an opening bracket.
pub fn calls(code: &str) -> Vec<String> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    code.match_indices('(')
        .map(|(at, _)| {
            code[..at]
                .rsplit(|c| !name(c))
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .filter(|called| !called.is_empty())
        .collect()
}

#[test]
fn the_check_of_policies_sees_through_disguises() {
    for good in [
        "(org_id = tenancy.org_id())",
        "((org_id = tenancy.org_id()) AND tenancy.can('a.b.select'::text))",
        "((org_id = ( SELECT tenancy.org_id() AS org_id)) AND (org_id = ( SELECT tenancy.org_if('a.b'::text) AS org_if)))",
        "((org_id = tenancy.org_id()) AND tenancy.can('a.b.c'::text) AND ((owner = auth.uid()) OR shared))",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "true",
        "(((org_id = tenancy.org_id()) AND tenancy.can('a'::text)) OR open)",
        "((org_id = tenancy.org_id()) OR open)",
        "((org_id = tenancy.org_id()) AND (EXISTS ( SELECT FROM members)))",
        "((org_id = tenancy.org_id()) AND pg_sleep('1'::double precision))",
        "((org_id = ( SELECT other.org_id() AS org_id)) AND tenancy.can('a'::text))",
        "((org_id = other.org_id()) AND tenancy.can('a'::text))",
    ] {
        assert_ne!(faults(bad), Vec::<String>::new(), "{bad}");
    }
}
