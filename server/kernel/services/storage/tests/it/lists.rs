use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{TestServer, answer};

use crate::support::{bucket, server, service, sql};

/// Rows without content: lists read no content.
async fn rows(server: &TestServer, bucket: &str, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        let statement = format!(
            "insert into storage.objects (bucket_id, name, version, metadata, created_at, updated_at) \
             values ('{bucket}', '{name}', gen_random_uuid(), '{{\"size\": 1}}', \
             timestamptz '2026-01-01' + interval '{number} hours', timestamptz '2026-01-01' + interval '{number} hours')"
        );
        sql(server, &statement).await;
    }
}

async fn v1(server: &TestServer, body: Value) -> Vec<String> {
    let (status, found) = answer(service(server, Method::POST, "/object/list/b").json(&body)).await;
    assert_eq!(status, 200, "{body}: {found}");
    let found = found.as_array().unwrap();
    found
        .iter()
        .map(|entry| {
            let name = entry["name"].as_str().unwrap();
            // A folder has no id.
            if entry["id"].is_null() {
                format!("{name}/")
            } else {
                name.to_owned()
            }
        })
        .collect()
}

async fn v2(server: &TestServer, body: &Value) -> Value {
    let (status, found) = answer(service(server, Method::POST, "/object/list-v2/b").json(body)).await;
    assert_eq!(status, 200, "{body}: {found}");
    found
}

fn names(found: &Value, key: &str) -> Vec<String> {
    let list = found[key].as_array().unwrap();
    list.iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

const NAMES: [&str; 11] = [
    "a.txt",
    "folder",
    "folder/a.txt",
    "folder/b/c.txt",
    "folder/b/d.txt",
    "folder-2/x.txt",
    "folder0",
    "Upper.txt",
    "z/deep/er/file.txt",
    "z.txt",
    "ä/ö.txt",
];

#[tokio::test]
async fn empty_parts_belong_to_a_name() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let content = ["a//x.txt", "a/x.txt", "a///y.txt", "b/"];
    for name in content {
        crate::support::put(&server, &format!("b/{name}"), name).await;
    }
    let all = v2(&server, &json!({ "prefix": "", "with_delimiter": false })).await;
    assert_eq!(names(&all, "objects"), ["a///y.txt", "a//x.txt", "a/x.txt", "b/"]);
    let below = v2(&server, &json!({ "prefix": "a/", "with_delimiter": true })).await;
    assert_eq!(
        (names(&below, "objects"), names(&below, "folders")),
        (vec!["a/x.txt".to_owned()], vec!["a//".to_owned()])
    );
    for name in content {
        let got = service(&server, Method::GET, &format!("/object/b/{name}"))
            .send()
            .await
            .unwrap();
        assert_eq!(got.text().await.unwrap(), name);
    }
}

#[tokio::test]
async fn a_folder_is_shown_page_by_page_with_folders_once() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    bucket(&server, "other", json!({})).await;
    rows(&server, "b", &NAMES).await;
    rows(&server, "other", &["a.txt", "folder/other.txt"]).await;
    let root = [
        "Upper.txt",
        "a.txt",
        "folder",
        "folder-2/",
        "folder/",
        "folder0",
        "z.txt",
        "z/",
        "ä/",
    ];
    assert_eq!(v1(&server, json!({ "prefix": "" })).await, root);
    let mut backwards = root;
    backwards.reverse();
    let sort = json!({ "column": "name", "order": "desc" });
    assert_eq!(
        v1(&server, json!({ "prefix": "", "sortBy": sort })).await,
        backwards
    );
    for limit in [1, 2, 4] {
        let mut all = Vec::new();
        for offset in (0..12).step_by(limit) {
            let page = v1(&server, json!({ "prefix": "", "limit": limit, "offset": offset })).await;
            assert!(page.len() <= limit);
            all.extend(page);
        }
        assert_eq!(all, root, "by {limit}");
    }
    assert_eq!(v1(&server, json!({ "prefix": "folder" })).await, ["a.txt", "b/"]);
    assert_eq!(v1(&server, json!({ "prefix": "folder/" })).await, ["a.txt", "b/"]);
    assert_eq!(
        v1(&server, json!({ "prefix": "folder/b" })).await,
        ["c.txt", "d.txt"]
    );
    assert_eq!(v1(&server, json!({ "prefix": "nothing" })).await, [""; 0]);
    assert_eq!(
        v1(&server, json!({ "prefix": "", "search": "FOLD" })).await,
        ["folder", "folder-2/", "folder/", "folder0"]
    );
    assert_eq!(
        v1(&server, json!({ "prefix": "", "search": "folder/B" })).await,
        ["b/"]
    );
    assert_eq!(
        v1(&server, json!({ "prefix": "", "search": "upper" })).await,
        ["Upper.txt"]
    );
    assert_eq!(v1(&server, json!({ "prefix": "", "search": "%" })).await, [""; 0]);
    assert_eq!(
        v1(
            &server,
            json!({ "prefix": "", "search": "folder", "limit": 1, "offset": 2 })
        )
        .await,
        ["folder/"]
    );
    // By time, folders first.
    let sort = json!({ "column": "created_at", "order": "desc" });
    assert_eq!(
        v1(&server, json!({ "prefix": "", "sortBy": sort })).await,
        [
            "folder-2/",
            "folder/",
            "z/",
            "ä/",
            "z.txt",
            "Upper.txt",
            "folder0",
            "folder",
            "a.txt"
        ]
    );
}

#[tokio::test]
async fn a_walk_with_a_cursor_sees_everything_once_in_every_order() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    rows(&server, "b", &NAMES).await;
    for column in ["name", "created_at", "updated_at"] {
        for order in ["asc", "desc"] {
            for with_delimiter in [false, true] {
                let body = |limit: usize, cursor: Option<&Value>| {
                    let mut body = json!({
                        "prefix": "", "limit": limit, "with_delimiter": with_delimiter,
                        "sortBy": { "column": column, "order": order },
                    });
                    if let Some(cursor) = cursor {
                        body["cursor"] = cursor.clone();
                    }
                    body
                };
                let whole = v2(&server, &body(100, None)).await;
                assert_eq!(
                    (&whole["hasNext"], whole.get("nextCursor")),
                    (&json!(false), None)
                );
                let count =
                    whole["objects"].as_array().unwrap().len() + whole["folders"].as_array().unwrap().len();
                assert_eq!(count, if with_delimiter { 9 } else { 11 });
                for limit in [1, 3] {
                    let (mut objects, mut folders, mut cursor) = (Vec::new(), Vec::new(), None);
                    loop {
                        let page = v2(&server, &body(limit, cursor.as_ref())).await;
                        objects.extend(names(&page, "objects"));
                        folders.extend(names(&page, "folders"));
                        if page["hasNext"] == false {
                            break;
                        }
                        cursor = Some(page["nextCursor"].clone());
                    }
                    assert_eq!(
                        objects,
                        names(&whole, "objects"),
                        "{column} {order} {with_delimiter} by {limit}"
                    );
                    assert_eq!(
                        folders,
                        names(&whole, "folders"),
                        "{column} {order} {with_delimiter} by {limit}"
                    );
                }
            }
        }
    }
    let found = v2(&server, &json!({ "prefix": "folder/", "with_delimiter": true })).await;
    assert_eq!(names(&found, "objects"), ["folder/a.txt"]);
    assert_eq!(found["folders"], json!([{ "key": "b", "name": "folder/b/" }]));
    // A prefix may end in the middle of a name.
    let found = v2(&server, &json!({ "prefix": "fol", "with_delimiter": true })).await;
    assert_eq!(names(&found, "folders"), ["folder-2/", "folder/"]);
    let found = v2(&server, &json!({ "prefix": "folder/b" })).await;
    assert_eq!(names(&found, "objects"), ["folder/b/c.txt", "folder/b/d.txt"]);
}

#[tokio::test]
async fn what_policies_hide_is_in_no_list_and_folders_of_it_neither() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    rows(&server, "b", &["mine/a.txt", "mine/b.txt", "theirs/c.txt"]).await;
    sql(
        &server,
        "create policy mine on storage.objects for select to authenticated using ((storage.foldername(name))[1] = 'mine')",
    )
    .await;
    let user = server.user("ada").await;
    for (to, body) in [
        ("/object/list/b", json!({ "prefix": "" })),
        ("/object/list-v2/b", json!({ "with_delimiter": true })),
    ] {
        let (_, found) = answer(crate::support::by(&user, Method::POST, to).json(&body)).await;
        let text = found.to_string();
        assert!(text.contains("mine") && !text.contains("theirs"), "{text}");
        let (_, found) = answer(crate::support::visitor(&server, Method::POST, to).json(&body)).await;
        assert!(!found.to_string().contains("mine"), "{found}");
    }
}

/// What a list has to show, from all names: those under a prefix, with folders once.
fn expected(names: &[&str], under: &str, delimited: bool, after: &str, descending: bool) -> Vec<String> {
    let mut entries: Vec<String> = names
        .iter()
        .filter(|name| name.starts_with(under))
        .filter_map(|name| {
            let slash = delimited.then(|| name[under.len()..].find('/')).flatten();
            let folder = slash.map(|at| &name[..=under.len() + at]);
            let beyond = match folder {
                // A folder that was shown is over; one in which the last name lies is shown for what is left of it.
                Some(folder) if !after.is_empty() && folder == after => false,
                _ if after.is_empty() => true,
                _ if descending => **name < *after,
                _ => **name > *after,
            };
            beyond.then(|| folder.unwrap_or(name).to_owned())
        })
        .collect();
    entries.sort();
    entries.dedup();
    if descending {
        entries.reverse();
    }
    entries
}

#[tokio::test]
async fn lists_show_what_there_is_from_every_name_on_and_under_every_prefix() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let mut all = NAMES.to_vec();
    all.extend([
        "folder//twice",
        "folder/b/",
        "folder/b/c/deep",
        "folder.x/1",
        "z/deep",
    ]);
    rows(&server, "b", &all).await;
    let admin = server.admin().await;
    let mut places = all.clone();
    places.extend([
        "",
        "fo",
        "folder/",
        "folder/b/c",
        "folder/b/c.txt/",
        "z/",
        "z/deep/",
        "ä",
        "zz",
    ]);
    for under in ["", "f", "folder", "folder/", "folder/b/", "z/de", "none"] {
        for after in &places {
            for delimited in [false, true] {
                for descending in [false, true] {
                    let found: Vec<String> = admin
                        .query(
                            "select name from storage.entries('b', $1, $2, null, false, $3, null, 1000, 0, $4, '')",
                            &[&under, &delimited, after, &descending],
                        )
                        .await
                        .unwrap()
                        .iter()
                        .map(|row| row.get(0))
                        .collect();
                    assert_eq!(
                        found,
                        expected(&all, under, delimited, after, descending),
                        "under {under:?} after {after:?}, delimited {delimited}, descending {descending}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn the_files_of_organisations_are_listed_from_the_top_for_their_own_and_for_nobody_else() {
    let server = server().await;
    let ours = server.organization("Ours").await;
    let theirs = server.organization("Theirs").await;
    for org in [&ours, &theirs] {
        rows(
            &server,
            "files",
            &[&format!("{}/a.txt", org.id), &format!("{}/b/c.txt", org.id)],
        )
        .await;
    }
    let stranger = server.user("stranger").await;
    for sort in [json!(null), json!({ "column": "created_at", "order": "desc" })] {
        let list = async |request: reqwest::RequestBuilder, delimited: bool| {
            let body = json!({ "with_delimiter": delimited, "sortBy": sort });
            let (status, found) = answer(request.json(&body)).await;
            assert_eq!(status, 200, "{found}");
            [names(&found, "folders"), names(&found, "objects")].concat()
        };
        let to = "/object/list-v2/files";
        let owner = || crate::support::by(&ours.owner, Method::POST, to);
        assert_eq!(list(owner(), true).await, [format!("{}/", ours.id)]);
        let mut all = list(owner(), false).await;
        all.sort();
        assert_eq!(
            all,
            [format!("{}/a.txt", ours.id), format!("{}/b/c.txt", ours.id)]
        );
        for other in [
            crate::support::by(&stranger, Method::POST, to),
            service(&server, Method::POST, to),
        ] {
            assert_eq!(list(other, false).await, [""; 0]);
        }
        assert_eq!(
            list(crate::support::visitor(&server, Method::POST, to), true).await,
            [""; 0]
        );
    }
}
