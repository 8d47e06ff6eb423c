//! Policies as people write them for Supabase decide what a caller may do: a table of policies, callers and outcomes.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tenon_testkit::{TestServer, TestUser, answer};

use crate::support::{bucket, by, put, server, sql, text, visitor};

const READ: &str = "create policy p1 on storage.objects for select to authenticated using (owner_id = (select auth.uid())::text)";
const READ_OLD: &str =
    "create policy p1 on storage.objects for select to authenticated using (owner = auth.uid())";
const ADD: &str = "create policy p2 on storage.objects for insert to authenticated with check (bucket_id = 'b' and auth.uid() is not null)";
const CHANGE: &str = "create policy p3 on storage.objects for update to authenticated using (owner_id = (select auth.uid())::text)";
const DELETE: &str = "create policy p4 on storage.objects for delete to authenticated using (owner_id = (select auth.uid())::text)";
const FOLDER: &str = "create policy p5 on storage.objects for all to authenticated \
    using (bucket_id = 'b' and (storage.foldername(name))[1] = auth.uid()::text)";
const ANON_READ: &str =
    "create policy p6 on storage.objects for select to anon using (storage.extension(name) = 'txt')";
const EVERYBODY: &str = "create policy p7 on storage.objects for all using (bucket_id = 'b')";
const IMAGES: &str = "create policy p8 on storage.objects for insert to authenticated with check (metadata->>'mimetype' like 'image/%')";
const SMALL: &str = "create policy p9 on storage.objects for insert to authenticated with check ((metadata->>'contentLength')::int <= 5)";
const DEPARTMENT: &str = "create policy p10 on storage.objects for insert to authenticated \
    with check (user_metadata->>'department' = 'supply')";
const ONLY_DOWNLOAD: &str = "create policy p11 on storage.objects for select to authenticated \
    using (storage.allow_only_operation('object.get_authenticated'))";
const BY_HEADER: &str = "create policy p12 on storage.objects for select to authenticated \
    using (current_setting('request.headers', true)::json ->> 'x-ticket' = 'good')";
const BY_PATH: &str = "create policy p13 on storage.objects for select to authenticated \
    using (current_setting('request.path', true) like '/object/authenticated/%' and current_setting('request.method', true) = 'GET')";

/// What is tried: as the owner of `own.txt` and of `<their id>/own.txt`; `foreign.txt` is the operator's.
const TRIES: [&str; 10] = [
    "get own",
    "get foreign",
    "list",
    "add",
    "add in folder",
    "replace own",
    "replace foreign",
    "delete own",
    "move own",
    "copy own",
];

struct Case {
    policies: &'static [&'static str],
    /// What succeeds of [`TRIES`].
    member: &'static [&'static str],
    /// The same for a visitor.
    visitor: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        policies: &[],
        member: &[],
        visitor: &[],
    },
    Case {
        policies: &[READ],
        member: &["get own", "list"],
        visitor: &[],
    },
    Case {
        policies: &[READ_OLD],
        member: &["get own", "list"],
        visitor: &[],
    },
    Case {
        policies: &[ADD],
        member: &["add", "add in folder"],
        visitor: &[],
    },
    Case {
        policies: &[READ, ADD],
        member: &["get own", "list", "add", "add in folder", "copy own"],
        visitor: &[],
    },
    Case {
        policies: &[READ, ADD, CHANGE],
        member: &[
            "get own",
            "list",
            "add",
            "add in folder",
            "replace own",
            "move own",
            "copy own",
        ],
        visitor: &[],
    },
    Case {
        policies: &[READ, CHANGE],
        member: &["get own", "list", "move own"],
        visitor: &[],
    },
    Case {
        policies: &[READ, DELETE],
        member: &["get own", "list", "delete own"],
        visitor: &[],
    },
    Case {
        policies: &[DELETE],
        member: &[],
        visitor: &[],
    },
    Case {
        policies: &[FOLDER],
        member: &["add in folder"],
        visitor: &[],
    },
    Case {
        policies: &[ANON_READ],
        member: &[],
        visitor: &["get own", "get foreign", "list"],
    },
    Case {
        policies: &[EVERYBODY],
        member: &TRIES,
        visitor: &TRIES,
    },
];

async fn succeeds(server: &TestServer, user: &TestUser, asker: Option<&TestUser>, what: &str) -> bool {
    sql(
        server,
        "set storage.allow_delete_query = 'true'; delete from storage.objects; delete from storage.discarded",
    )
    .await;
    put(server, "b/own.txt", "own").await;
    put(server, "b/foreign.txt", "foreign").await;
    let id = user.id;
    sql(
        server,
        &format!("update storage.objects set owner = '{id}', owner_id = '{id}' where name = 'own.txt'"),
    )
    .await;
    let request = |method: Method, to: &str| -> RequestBuilder {
        match asker {
            Some(user) => by(user, method, to),
            None => visitor(server, method, to),
        }
    };
    let journey = |to: &str| json!({ "bucketId": "b", "sourceKey": "own.txt", "destinationKey": to });
    let attempt = match what {
        "get own" => request(Method::GET, "/object/b/own.txt"),
        "get foreign" => request(Method::GET, "/object/b/foreign.txt"),
        "list" => request(Method::POST, "/object/list/b").json(&json!({ "prefix": "" })),
        "add" => text(request(Method::POST, "/object/b/new.txt"), "new"),
        "add in folder" => text(request(Method::POST, &format!("/object/b/{id}/new.txt")), "new"),
        "replace own" => text(request(Method::PUT, "/object/b/own.txt"), "new"),
        "replace foreign" => text(request(Method::PUT, "/object/b/foreign.txt"), "new"),
        "delete own" => request(Method::DELETE, "/object/b/own.txt"),
        "move own" => request(Method::POST, "/object/move").json(&journey("moved.txt")),
        "copy own" => request(Method::POST, "/object/copy").json(&journey("copied.txt")),
        other => panic!("{other}"),
    };
    let (status, told) = answer(attempt).await;
    assert!([200, 400].contains(&status), "{what}: {status} {told}");
    let shown = told.as_array().is_none_or(|list| !list.is_empty());
    status == 200 && shown
}

#[tokio::test]
async fn policies_decide_for_members_and_visitors() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let user = server.user("ada").await;
    for case in CASES {
        for policy in case.policies {
            sql(&server, policy).await;
        }
        for what in TRIES {
            let good = succeeds(&server, &user, Some(&user), what).await;
            assert_eq!(
                good,
                case.member.contains(&what),
                "member: {what} under {:?}",
                case.policies
            );
            let good = succeeds(&server, &user, None, what).await;
            assert_eq!(
                good,
                case.visitor.contains(&what),
                "visitor: {what} under {:?}",
                case.policies
            );
        }
        for name in ["p1", "p2", "p3", "p4", "p5", "p6", "p7"] {
            sql(
                &server,
                &format!("drop policy if exists {name} on storage.objects"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn policies_see_what_is_told_of_an_upload_before_it_comes() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let user = server.user("ada").await;
    let metadata = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, r#"{"department":"supply"}"#);
    for (policy, kind, metadata, body, good) in [
        (IMAGES, "image/png", "", "x", true),
        (IMAGES, "text/plain", "", "x", false),
        (SMALL, "text/plain", "", "12345", true),
        (SMALL, "text/plain", "", "123456", false),
        (DEPARTMENT, "text/plain", metadata.as_str(), "x", true),
        (DEPARTMENT, "text/plain", "", "x", false),
    ] {
        sql(&server, policy).await;
        let id = server.kernel().env().new_id();
        let request = by(&user, Method::POST, &format!("/object/b/{id}"))
            .header("content-type", kind)
            .header("x-metadata", metadata)
            .body(body);
        assert_eq!(answer(request).await.0 == 200, good, "{policy}: {kind} {body}");
        for name in ["p8", "p9", "p10"] {
            sql(
                &server,
                &format!("drop policy if exists {name} on storage.objects"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn policies_see_the_operation_and_the_request() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    let user = server.user("ada").await;
    for (policy, get, info, ticket) in [
        (ONLY_DOWNLOAD, true, false, false),
        (BY_HEADER, false, false, true),
        (BY_PATH, true, false, true),
    ] {
        sql(&server, policy).await;
        for (to, header, good) in [
            ("/object/authenticated/b/a.txt", "", get),
            ("/object/info/b/a.txt", "", info),
            ("/object/authenticated/b/a.txt", "good", get || ticket),
        ] {
            let (status, _) = answer(by(&user, Method::GET, to).header("x-ticket", header)).await;
            assert_eq!(status == 200, good, "{policy} {to} {header}");
        }
        for name in ["p11", "p12", "p13"] {
            sql(
                &server,
                &format!("drop policy if exists {name} on storage.objects"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn rows_are_not_deleted_by_sql_unless_it_is_meant_and_their_content_follows() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    let admin = server.admin().await;
    let refused = admin
        .batch_execute("delete from storage.objects")
        .await
        .unwrap_err();
    let refused = refused.as_db_error().unwrap();
    assert_eq!(refused.code().code(), "42501");
    assert!(
        refused
            .message()
            .starts_with("Direct deletion from storage tables is not allowed")
    );
    sql(
        &server,
        "set storage.allow_delete_query = 'true'; delete from storage.objects",
    )
    .await;
    let discarded: i64 = admin
        .query_one("select count(*) from storage.discarded", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(discarded, 1);
}

#[tokio::test]
async fn helper_functions_answer_as_upstreams_do() {
    let server = server().await;
    let admin = server.admin().await;
    for (call, expected) in [
        ("storage.foldername('a/b/c.tar.gz')::text", "{a,b}"),
        ("storage.foldername('c.txt')::text", "{}"),
        ("storage.filename('a/b/c.tar.gz')", "c.tar.gz"),
        ("storage.extension('a/b/c.tar.gz')", "gz"),
        ("storage.get_common_prefix('a/b/c', 'a/', '/')", "a/b/"),
        (
            "coalesce(storage.get_common_prefix('a/b', 'a/', '/'), 'none')",
            "none",
        ),
        ("storage.operation()", ""),
        ("storage.allow_any_operation(array['object.list'])::text", "false"),
        ("storage.allow_only_operation('')::text", "false"),
    ] {
        let told: String = admin
            .query_one(&format!("select {call}"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(told, expected, "{call}");
    }
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "12345").await;
    let row = admin
        .query_one("select size, bucket_id from storage.get_size_by_bucket()", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, String>(1)),
        (5, "b".to_owned())
    );
    let error = admin
        .batch_execute("select storage.can_insert_object('b', 'x', null, '{}')")
        .await
        .unwrap_err();
    assert_eq!(error.as_db_error().unwrap().code().code(), "PT200");
    let found = admin
        .query("select name from storage.search('', 'b')", &[])
        .await
        .unwrap();
    assert_eq!(found[0].get::<_, String>(0), "a.txt");
    let found = admin
        .query(
            "select name from storage.list_objects_with_delimiter('b', '', '/')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let found = admin
        .query("select key from storage.search_v2('', 'b')", &[])
        .await
        .unwrap();
    assert_eq!(found[0].get::<_, String>(0), "a.txt");
}
