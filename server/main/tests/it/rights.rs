//! What the roles of a running server own and may do, and what functions may do for them.

use crate::{
    catalogue::{calls, none},
    support::database,
};

const RUNTIME: &str =
    "('anon', 'authenticated', 'service_role', 'tenon_system', 'supabase_auth_admin', 'tenon_authenticator')";

#[tokio::test]
async fn the_roles_of_a_running_server_own_nothing_and_have_no_power_over_the_database() {
    let database = database().await;
    let admin = database.admin().await;
    let known: i64 = admin
        .query_one(
            &format!("select count(*) from pg_roles where rolname in {RUNTIME}"),
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(known, 6);
    none(
        &admin,
        "Only the role that migrates may own things.",
        &format!(
            "select r.rolname || ' owns ' || pg_describe_object(d.classid, d.objid, d.objsubid) from pg_shdepend d \
             join pg_roles r on r.oid = d.refobjid where d.refclassid = 'pg_authid'::regclass and d.deptype = 'o' \
             and d.dbid in (0, (select oid from pg_database where datname = current_database())) \
             and r.rolname in {RUNTIME}"
        ),
    )
    .await;
    none(
        &admin,
        "No role of a running server is a superuser, bypasses row-level security, or makes roles and databases.",
        &format!(
            "select rolname::text from pg_roles where rolname in {RUNTIME} \
             and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)"
        ),
    )
    .await;
    none(
        &admin,
        "Nobody but tenon_authenticator may log in, and nobody inherits rights.",
        &format!(
            "select rolname::text from pg_roles where rolname in {RUNTIME} \
             and (rolinherit or rolcanlogin <> (rolname = 'tenon_authenticator'))"
        ),
    )
    .await;
    none(
        &admin,
        "The only memberships are those of tenon_authenticator in the five roles it takes on, without admin option.",
        &format!(
            "select m.rolname || ' in ' || r.rolname from pg_auth_members a join pg_roles m on m.oid = a.member \
             join pg_roles r on r.oid = a.roleid where m.rolname in {RUNTIME} \
             and (m.rolname <> 'tenon_authenticator' or r.rolname not in {RUNTIME} or a.admin_option)"
        ),
    )
    .await;
}

#[tokio::test]
async fn the_loader_is_under_row_level_security_and_does_what_its_functions_do_and_nothing_else() {
    let database = database().await;
    let admin = database.admin().await;
    none(
        &admin,
        "tenon_loader is a role like those of a running server, and none of them may become it.",
        &format!(
            "select rolname::text from pg_roles r where rolname = 'tenon_loader' and (rolsuper or rolbypassrls \
             or rolcreaterole or rolcreatedb or rolreplication or rolinherit or rolcanlogin or exists ( \
             select from pg_roles o where o.rolname in {RUNTIME} and pg_has_role(o.oid, r.oid, 'member')))"
        ),
    )
    .await;
    none(
        &admin,
        "Only functions made by kernel.bulk_loader belong to tenon_loader: definer, an empty search path, for server code.",
        "select pg_describe_object(d.classid, d.objid, d.objsubid) from pg_shdepend d \
         where d.refclassid = 'pg_authid'::regclass and d.refobjid = 'tenon_loader'::regrole and d.deptype = 'o' \
         and d.dbid = (select oid from pg_database where datname = current_database()) and not exists ( \
         select from pg_proc p where d.classid = 'pg_proc'::regclass and p.oid = d.objid and p.prosecdef \
         and p.proconfig @> array['search_path=\"\"'] \
         and not exists (select from aclexplode(p.proacl) a \
         where a.grantee not in ('tenon_loader'::regrole, 'service_role'::regrole)))",
    )
    .await;
    none(
        &admin,
        "Nobody but tenon_loader may leave out what PostgreSQL does row by row.",
        "select p.parname || ': ' || a.grantee::regrole from pg_parameter_acl p cross join aclexplode(p.paracl) a \
         where a.grantee <> 'tenon_loader'::regrole \
         and not (select rolsuper from pg_roles r where r.oid = a.grantee)",
    )
    .await;
    none(
        &admin,
        "A loader's rows would pass by this trigger: do its work in the loader, or let rows in by another way.",
        "select t.relation || ': ' || g.tgname from kernel.tables t join pg_trigger g on g.tgrelid = t.relation \
         where has_table_privilege('tenon_loader', t.relation, 'insert') and not g.tgisinternal",
    )
    .await;
    none(
        &admin,
        "A loader has to lock what its rows refer to: one reference a table, so that it is easily seen to.",
        "select t.relation::text from kernel.tables t join pg_constraint c on c.conrelid = t.relation and c.contype = 'f' \
         where has_table_privilege('tenon_loader', t.relation, 'insert') group by t.relation having count(*) > 1",
    )
    .await;
}

#[tokio::test]
async fn the_login_has_no_rights_on_tables_so_that_a_slip_fails_closed() {
    let database = database().await;
    none(
        &database.admin().await,
        "Grant nothing to tenon_authenticator or PUBLIC: a statement sent outside of a request's context runs as them.",
        "select t.relation || ': ' || p.privilege from kernel.tables t \
         cross join (values ('select'), ('insert'), ('update'), ('delete'), ('truncate'), ('references'), ('trigger')) \
         as p(privilege) where has_table_privilege('tenon_authenticator', t.relation, p.privilege) \
         and (t.relation, p.privilege) <> ('kernel.tables'::regclass, 'select')",
    )
    .await;
}

#[tokio::test]
async fn shared_and_system_tables_are_out_of_reach_of_requests() {
    let database = database().await;
    let admin = database.admin().await;
    none(
        &admin,
        "Requests reach these tables through functions of the owner or a SystemTx, never by a grant.",
        "select t.relation || ': ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'PUBLIC') \
         from kernel.tables t join pg_class c on c.oid = t.relation cross join aclexplode(c.relacl) a \
         left join pg_roles r on r.oid = a.grantee where t.kind <> 'tenant' \
         and (r.rolname is null or r.rolname in ('anon', 'authenticated', 'service_role', 'tenon_authenticator')) \
         and (t.relation, a.privilege_type) <> ('kernel.tables'::regclass, 'SELECT') \
         and t.relation not in ('storage.buckets'::regclass, 'storage.objects'::regclass, 'realtime.messages'::regclass)",
    )
    .await;
    // Policies of the operator's own decide about buckets and objects; what belongs to an organisation has a wall besides.
    none(
        &admin,
        "Whatever policies let in, an object of an organisation is reached in it alone.",
        "select 'storage.objects: ' || r.rolname from pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role') \
         and not exists (select from pg_policy p where p.polrelid = 'storage.objects'::regclass and not p.polpermissive \
         and p.polcmd = '*' and r.oid = any (p.polroles) \
         and pg_get_expr(p.polqual, p.polrelid) = '((org_id IS NULL) OR (org_id = tenancy.org_id()))' \
         and pg_get_expr(p.polwithcheck, p.polrelid) = pg_get_expr(p.polqual, p.polrelid))",
    )
    .await;
    none(
        &admin,
        "Whatever policies let in, a message to channels of an organisation is reached in it alone.",
        "select 'realtime.messages: ' || r.rolname from pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role') \
         and not exists (select from pg_policy p where p.polrelid = 'realtime.messages'::regclass and not p.polpermissive \
         and p.polcmd = '*' and r.oid = any (p.polroles) \
         and pg_get_expr(p.polqual, p.polrelid) = '(NOT (org_id IS DISTINCT FROM tenancy.org_id()))' \
         and pg_get_expr(p.polwithcheck, p.polrelid) = pg_get_expr(p.polqual, p.polrelid))",
    )
    .await;
    // Policies written for Supabase ask whether the caller has a second factor; they see the caller's own, without secrets.
    none(
        &admin,
        "Rights on single columns escape the checks of this file.",
        "select t.relation || '.' || a.attname from kernel.tables t \
         join pg_attribute a on a.attrelid = t.relation where a.attacl is not null \
         and not (t.relation = 'auth.mfa_factors'::regclass and a.attname not in \
             ('secret', 'phone', 'web_authn_credential', 'last_webauthn_challenge_data', 'last_step'))",
    )
    .await;
    none(
        &admin,
        "The kernel's own work never reaches a tenant's table: take a TenantTx.",
        "select t.relation::text from kernel.tables t where t.kind = 'tenant' \
         and has_table_privilege('tenon_system', t.relation, 'select, insert, update, delete')",
    )
    .await;
    none(
        &admin,
        "Visitors who are not signed in have no rights on tenant tables.",
        "select t.relation::text from kernel.tables t where t.kind = 'tenant' \
         and has_table_privilege('anon', t.relation, 'select, insert, update, delete')",
    )
    .await;
}

#[tokio::test]
async fn functions_that_policies_call_are_inlined_and_read_only_the_context() {
    let database = database().await;
    let admin = database.admin().await;
    let rows = admin
        .query(
            "select coalesce(pg_get_expr(polqual, polrelid), '') || coalesce(pg_get_expr(polwithcheck, polrelid), '') \
             from pg_policy p join kernel.tables t on t.relation = p.polrelid where t.kind = 'tenant'",
            &[],
        )
        .await
        .unwrap();
    let mut called: Vec<String> = rows.iter().flat_map(|row| calls(row.get(0))).collect();
    let promised = [
        "tenancy.org_id",
        "tenancy.can",
        "tenancy.user_id",
        "auth.uid",
        "auth.role",
        "auth.jwt",
    ];
    called.extend(promised.map(str::to_owned));
    called.sort_unstable();
    called.dedup();
    for name in called {
        let functions = admin
            .query(
                "select p.oid::regprocedure::text, p.provolatile = 's' and l.lanname = 'sql' and not p.prosecdef \
                 and p.proconfig is null and p.prosrc !~* '\\m(from|join)\\M' \
                 from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang \
                 where n.nspname || '.' || p.proname = $1",
                &[&name],
            )
            .await
            .unwrap();
        assert!(!functions.is_empty(), "there is no function {name}");
        for function in functions {
            assert!(
                function.get::<_, bool>(1),
                "{} must be STABLE, in SQL, without SECURITY DEFINER, SET and tables, or PostgreSQL does not inline it",
                function.get::<_, String>(0)
            );
        }
    }
}

#[tokio::test]
async fn no_function_is_open_to_everybody_and_those_of_the_owner_have_a_fixed_search_path() {
    let database = database().await;
    let admin = database.admin().await;
    let ours = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
                and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')";
    none(
        &admin,
        "Revoke execute from public and grant it to the roles that need it.",
        &format!(
            "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {ours} \
             and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))"
        ),
    )
    .await;
    none(
        &admin,
        "A SECURITY DEFINER function says `set search_path = ''` and names every table with its schema.",
        &format!(
            "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {ours} \
             and p.prosecdef and not coalesce(p.proconfig @> array['search_path=\"\"'], false)"
        ),
    )
    .await;
    none(
        &admin,
        "What runs with the owner's rights is for server code, not for callers of the data API.",
        &format!(
            "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {ours} \
             and p.prosecdef and (has_function_privilege('anon', p.oid, 'execute') \
             or has_function_privilege('authenticated', p.oid, 'execute'))"
        ),
    )
    .await;
}

#[tokio::test]
async fn only_the_login_may_open_a_context() {
    let database = database().await;
    none(
        &database.admin().await,
        "Whoever is inside a request may not choose another identity.",
        "select p.proname || ' by ' || r.rolname from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
         cross join pg_roles r where n.nspname = 'kernel' and p.proname in ('begin_request', 'begin_job', 'begin_system') \
         and r.rolname in ('anon', 'authenticated', 'service_role', 'tenon_system') \
         and has_function_privilege(r.oid, p.oid, 'execute')",
    )
    .await;
}

#[tokio::test]
async fn views_look_with_the_eyes_of_whoever_asks() {
    let database = database().await;
    none(
        &database.admin().await,
        "Create the view `with (security_invoker = true)`, or it shows every organisation's rows to everybody.",
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where c.relkind = 'v' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
         and not coalesce(c.reloptions @> array['security_invoker=true'], false)",
    )
    .await;
}

#[tokio::test]
async fn nobody_but_the_owner_makes_things_in_a_schema() {
    let database = database().await;
    none(
        &database.admin().await,
        "Schemas are filled by migrations alone.",
        &format!(
            "select n.nspname || ': ' || r.rolname from pg_namespace n cross join pg_roles r \
             where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and r.rolname in {RUNTIME} \
             and has_schema_privilege(r.oid, n.oid, 'create')"
        ),
    )
    .await;
}
