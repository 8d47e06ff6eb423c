//! One statement in the context of a request, many requests on one connection.

use std::sync::Arc;

use tenon_sdk::db::{OrgSelector, RequestContext};
use uuid::Uuid;

use crate::support::{House, house, row, statement, who, with};

const INSERT: &str =
    "insert into notes.items (org_id, id, body) values (tenancy.org_id(), $1::uuid, 'new') returning 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_requests_on_one_connection_each_see_their_own_identity() {
    let House { server, ada, bea } = house().await;
    let db = server.kernel().db().clone();
    let (ada, bea) = (Arc::new(ada), Arc::new(bea));
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..600 {
        let (db, party) = (db.clone(), if n % 2 == 0 { ada.clone() } else { bea.clone() });
        requests.spawn(async move {
            match n % 7 {
                // Refused ones in between: their place in the pipeline must not shift the answers of others.
                3 => {
                    let failed = db
                        .run(
                            &party.context(),
                            statement("select 1 / (tenancy.org_id() is null)::int"),
                        )
                        .await;
                    assert_eq!(failed.unwrap_err().code, "22012");
                }
                5 => {
                    let stranger = RequestContext {
                        org: OrgSelector::Id(Uuid::max()),
                        ..party.context()
                    };
                    assert_eq!(
                        who(&db, &stranger).await.unwrap_err().code,
                        "tenancy.org_not_found"
                    );
                }
                6 => {
                    let resolved = db.resolve(&party.context()).await.unwrap();
                    assert_eq!(
                        (resolved.org, resolved.role.as_deref()),
                        (Some(party.org), Some("owner"))
                    );
                }
                _ => assert_eq!(who(&db, &party.context()).await.unwrap(), party.identity()),
            }
        });
    }
    while let Some(finished) = requests.join_next().await {
        finished.unwrap();
    }
}

#[tokio::test]
async fn what_a_statement_sets_for_the_whole_session_is_not_the_next_ones_identity() {
    let House { server, ada, bea } = house().await;
    let db = server.kernel().db();
    let poison = "select set_config('tenancy.org_id', $1, false), set_config('request.jwt.claim.sub', $1, false), \
                  set_config('request.jwt.claims', '{\"mark\":\"poison\"}', false), \
                  set_config('tenancy.permissions', ',notes.items.write,', false)";
    db.run(&bea.context(), with(poison, &[&ada.org.to_string()]))
        .await
        .unwrap();
    assert_eq!(who(db, &bea.context()).await.unwrap(), bea.identity());
    let anonymous = RequestContext {
        role: "anon",
        user: None,
        claims: "{}".into(),
        ..bea.context()
    };
    let reply = db
        .run(
            &anonymous,
            statement("select tenancy.org_id()::text, auth.uid()::text"),
        )
        .await
        .unwrap();
    assert_eq!(row(&reply), [None, None]);
}

#[tokio::test]
async fn an_error_undoes_its_statement_and_leaves_the_connection_to_others() {
    let house = house().await;
    let (db, ada) = (house.db(), &house.ada);
    let pid = "select pg_backend_pid()::text";
    let before = row(&db.run(&ada.context(), statement(pid)).await.unwrap());
    let broken = "with made as (insert into notes.items (org_id, id, body) \
                  values (tenancy.org_id(), $1::uuid, 'x') returning 1) select 1 / (count(*) - 1) from made";
    let error = db
        .run(&ada.context(), with(broken, &[&Uuid::max().to_string()]))
        .await
        .unwrap_err();
    assert_eq!(error.code, "22012");
    for syntax in ["selec 1", "select 1; select 2", "select $1::int"] {
        assert!(
            db.run(&ada.context(), statement(syntax)).await.is_err(),
            "{syntax}"
        );
    }
    assert_eq!(house.notes().await, 2, "nothing stays of a failed statement");
    assert_eq!(
        row(&db.run(&ada.context(), statement(pid)).await.unwrap()),
        before,
        "the connection is the same"
    );
    assert_eq!(who(db, &ada.context()).await.unwrap(), ada.identity());
}

#[tokio::test]
async fn a_statement_that_would_keep_the_connection_fails_and_ends_it() {
    let House { server, ada, bea } = house().await;
    let db = server.kernel().db();
    let pid = "select pg_backend_pid()::text";
    let before = row(&db.run(&ada.context(), statement(pid)).await.unwrap());
    let error = db.run(&ada.context(), statement("begin")).await.unwrap_err();
    assert_eq!(error.status(), 500);
    assert_eq!(who(db, &bea.reading()).await.unwrap(), bea.identity());
    assert_ne!(
        row(&db.run(&ada.context(), statement(pid)).await.unwrap()),
        before
    );
}

#[tokio::test]
async fn a_forged_organisation_is_not_found_and_its_statement_does_not_run() {
    let house = house().await;
    let (db, ada, bea) = (house.db(), &house.ada, &house.bea);
    let forged = [
        OrgSelector::Id(ada.org.0),
        OrgSelector::Id(Uuid::nil()),
        OrgSelector::Slug(ada.slug.clone()),
        OrgSelector::Slug("' or true --".to_owned()),
        OrgSelector::Slug(String::new()),
    ];
    for org in forged {
        for role in ["authenticated", "service_role"] {
            let context = RequestContext {
                org: org.clone(),
                role,
                ..bea.context()
            };
            let error = db
                .run(&context, with(INSERT, &[&Uuid::max().to_string()]))
                .await
                .unwrap_err();
            assert_eq!(
                (error.status(), error.code.as_ref()),
                (404, "tenancy.org_not_found"),
                "{org:?}"
            );
            assert_eq!(
                db.resolve(&context).await.unwrap_err().code,
                "tenancy.org_not_found"
            );
        }
    }
    assert_eq!(house.notes().await, 2);
    let by_slug = RequestContext {
        org: OrgSelector::Slug(bea.slug.clone()),
        ..bea.context()
    };
    assert_eq!(who(db, &by_slug).await.unwrap(), bea.identity());
    let default = RequestContext {
        org: OrgSelector::Default,
        ..bea.context()
    };
    assert_eq!(who(db, &default).await.unwrap(), bea.identity());
}

#[tokio::test]
async fn a_row_of_another_organisation_can_be_neither_written_nor_moved_nor_seen() {
    let house = house().await;
    let (db, ada, bea) = (house.db(), &house.ada, &house.bea);
    let org = ada.org.to_string();
    let insert = "insert into notes.items (org_id, id, body) values ($1::uuid, $2::uuid, 'x')";
    let error = db
        .run(&bea.context(), with(insert, &[&org, &Uuid::max().to_string()]))
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.code.as_ref()), (403, "42501"));
    let error = db
        .run(
            &bea.context(),
            with("update notes.items set org_id = $1::uuid", &[&org]),
        )
        .await
        .unwrap_err();
    assert_eq!(error.code, "42501");
    for quiet in [
        "update notes.items set body = 'x' where org_id = $1::uuid returning 1",
        "delete from notes.items where org_id = $1::uuid returning 1",
        "select body from notes.items where org_id = $1::uuid",
    ] {
        let reply = db.run(&bea.context(), with(quiet, &[&org])).await.unwrap();
        assert!(reply.rows.is_empty(), "{quiet}");
    }
    assert_eq!(who(db, &ada.context()).await.unwrap(), ada.identity());
}

#[tokio::test]
async fn a_visitor_belongs_nowhere_and_sees_nothing() {
    let House { server, ada, .. } = house().await;
    let db = server.kernel().db();
    for org in [
        OrgSelector::Default,
        OrgSelector::Id(ada.org.0),
        OrgSelector::Slug(ada.slug.clone()),
    ] {
        let visitor = RequestContext {
            role: "anon",
            user: None,
            org,
            ..ada.context()
        };
        let error = db
            .run(&visitor, statement("select body from notes.items"))
            .await
            .unwrap_err();
        assert_eq!(error.code, "42501");
        let reply = db
            .run(&visitor, statement("select tenancy.org_id()::text, auth.role()"))
            .await
            .unwrap();
        assert_eq!(row(&reply), [None, Some("anon".to_owned())]);
        assert_eq!(db.resolve(&visitor).await.unwrap().org, None);
    }
}

#[tokio::test]
async fn server_code_that_acts_for_nobody_sees_no_organisation() {
    let House { server, ada, .. } = house().await;
    let db = server.kernel().db();
    let nobody = RequestContext {
        role: "service_role",
        user: None,
        org: OrgSelector::Default,
        ..ada.context()
    };
    let asked = statement(
        "select coalesce(tenancy.org_id()::text, 'none'), auth.role(), (select count(*) from notes.items)::text",
    );
    let reply = db.run(&nobody, asked).await.unwrap();
    let seen = ["none", "service_role", "0"].map(|text| Some(text.to_owned()));
    assert_eq!(row(&reply), seen);
    let refused = db.run(&nobody, with(INSERT, &[&Uuid::max().to_string()])).await;
    assert!(refused.is_err());
    for org in [OrgSelector::Id(ada.org.0), OrgSelector::Slug(ada.slug.clone())] {
        let naming = RequestContext {
            org,
            ..nobody.clone()
        };
        assert_eq!(
            db.resolve(&naming).await.unwrap_err().code,
            "tenancy.org_not_found"
        );
    }
}

#[tokio::test]
async fn a_context_of_an_unknown_role_is_refused() {
    let House { server, ada, .. } = house().await;
    let db = server.kernel().db();
    for role in ["postgres", "tenon_system", "tenon_authenticator", "none", ""] {
        let context = RequestContext {
            role,
            ..ada.context()
        };
        assert!(db.run(&context, statement("select 1")).await.is_err(), "{role}");
    }
    for function in [
        "kernel.begin_job(tenancy.org_id(), null)",
        "kernel.begin_system('x')",
    ] {
        for role in ["authenticated", "service_role"] {
            let context = RequestContext {
                role,
                ..ada.context()
            };
            let error = db
                .run(&context, statement(&format!("select {function}")))
                .await
                .unwrap_err();
            assert_eq!(error.code, "42501", "{function} by {role}");
        }
    }
}

#[tokio::test]
async fn a_reading_context_refuses_writes() {
    let house = house().await;
    let (db, ada) = (house.db(), &house.ada);
    let id = Uuid::max().to_string();
    let error = db.run(&ada.reading(), with(INSERT, &[&id])).await.unwrap_err();
    assert_eq!((error.status(), error.code.as_ref()), (405, "25006"));
    let error = db
        .run(
            &ada.reading(),
            statement("select set_config('transaction_read_only', 'off', false)"),
        )
        .await;
    assert!(error.is_err(), "a statement cannot lift it");
    db.run(&ada.context(), with(INSERT, &[&id])).await.unwrap();
    assert_eq!(house.notes().await, 3);
}

#[tokio::test]
async fn permissions_of_the_role_decide_and_a_lost_membership_ends_all_of_them() {
    let house = house().await;
    let (db, ada) = (house.db(), &house.ada);
    let admin = house.server.admin().await;
    let set = "update tenancy.memberships set role = $2 where org_id = $1";
    admin.execute(set, &[&ada.org, &"viewer"]).await.unwrap();
    let error = db
        .run(&ada.context(), with(INSERT, &[&Uuid::max().to_string()]))
        .await
        .unwrap_err();
    assert_eq!(error.code, "42501");
    assert_eq!(
        who(db, &ada.context()).await.unwrap(),
        ada.identity(),
        "a viewer reads"
    );
    admin
        .execute("delete from tenancy.memberships where org_id = $1", &[&ada.org])
        .await
        .unwrap();
    assert_eq!(
        who(db, &ada.context()).await.unwrap_err().code,
        "tenancy.org_not_found"
    );
    assert_eq!(house.notes().await, 2);
}

#[tokio::test]
async fn a_statement_runs_as_the_caller_when_it_is_seen_for_the_first_time() {
    let House { server, ada, bea } = house().await;
    let db = server.kernel().db();
    for n in 0..20 {
        for party in [&ada, &bea] {
            // A text of its own: prepared in the very batch that runs it.
            let sql = format!("{} /* {n} {} */", crate::support::WHO, party.name);
            let statement = with(&sql, &[]);
            let reply = db.run(&party.context(), statement).await.unwrap();
            let texts = |value: &Option<bytes::Bytes>| {
                value
                    .as_ref()
                    .map(|text| String::from_utf8_lossy(text).into_owned())
            };
            let row: Vec<_> = reply.rows[0].iter().map(texts).collect();
            assert_eq!(row, party.identity());
        }
    }
}

#[tokio::test]
async fn a_statement_is_prepared_once_for_each_role() {
    let House { server, ada, .. } = house().await;
    let db = server.kernel().db();
    let visitor = RequestContext {
        role: "anon",
        user: None,
        org: OrgSelector::Default,
        claims: "{}".into(),
        ..ada.context()
    };
    let same = "select 1 /* the same */";
    for _ in 0..5 {
        db.run(&ada.context(), with(same, &[])).await.unwrap();
        db.run(&visitor, with(same, &[])).await.unwrap();
    }
    let count = "select count(*) from pg_prepared_statements where statement = $1";
    let reply = db.run(&ada.context(), with(count, &[same])).await.unwrap();
    assert_eq!(reply.rows[0][0].as_deref(), Some(&b"2"[..]));
    let long = format!("select 1 /* {} */", "x".repeat(20_000));
    for _ in 0..3 {
        db.run(&ada.context(), with(&long, &[])).await.unwrap();
    }
    let reply = db.run(&ada.context(), with(count, &[&long])).await.unwrap();
    assert_eq!(
        reply.rows[0][0].as_deref(),
        Some(&b"0"[..]),
        "long ones are not kept"
    );
}

#[tokio::test]
async fn plans_are_generic_for_requests_and_chosen_for_transactions() {
    let House { server, ada, .. } = house().await;
    let mode = "select current_setting('plan_cache_mode')";
    let reply = server
        .kernel()
        .db()
        .run(&ada.context(), with(mode, &[]))
        .await
        .unwrap();
    assert_eq!(reply.rows[0][0].as_deref(), Some(&b"force_generic_plan"[..]));
    let tx = ada.ctx().begin().await.unwrap();
    let row = tx.query_one(mode, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "auto");
}
