//! The outbox, and live news for browsers.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tenon_sdk::{events::Event, permission::Role};
use tenon_testkit::{TestServerOptions, answer};

use crate::chores::{app, at_work, idle_server};

#[tokio::test]
async fn events_are_numbered_without_gaps_in_each_organisation_however_many_write_at_once() {
    let server = idle_server().await;
    let orgs = [
        server.organization("Harbour").await,
        server.organization("Yard").await,
    ];
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..40 {
        let ctx = at_work(&server, &orgs[n % 2]);
        writers.spawn(async move {
            let tx = ctx.begin().await.unwrap();
            let event =
                |step: usize| Event::new("chores.done", tx.env().new_id(), json!({ "n": n, "step": step }));
            tx.emit(&event(0)).await.unwrap();
            tx.emit_all(&[event(1), event(2)]).await.unwrap();
            // Every third one changes its mind.
            if n % 3 == 0 {
                tx.rollback().await.unwrap();
            } else {
                tx.commit().await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let admin = server.admin().await;
    for org in &orgs {
        let sql = "select seq, (payload ->> 'n')::int, (payload ->> 'step')::int, actor, kind from events.outbox \
                   where org_id = $1 order by seq";
        let all = admin.query(sql, &[&org.id]).await.unwrap();
        for (place, row) in all.iter().enumerate() {
            assert_eq!(
                row.get::<_, i64>(0),
                i64::try_from(place).unwrap() + 1,
                "no gap and no double"
            );
        }
        let ours: Vec<_> = all
            .iter()
            .filter(|row| row.get::<_, &str>(4) == "chores.done")
            .collect();
        assert_eq!(ours.len() % 3, 0);
        for transaction in ours.chunks(3) {
            let steps: Vec<i32> = transaction.iter().map(|row| row.get(2)).collect();
            assert_eq!(steps, [0, 1, 2], "the events of a transaction stand together");
            assert!(
                transaction
                    .iter()
                    .all(|row| row.get::<_, i32>(1) == transaction[0].get::<_, i32>(1))
            );
            assert_ne!(
                transaction[0].get::<_, i32>(1) % 3,
                0,
                "what was undone is not told"
            );
            assert_eq!(
                transaction[0].get::<_, Option<uuid::Uuid>>(3),
                Some(org.owner.id.0)
            );
        }
    }
}

/// A stream of server-sent events, read one at a time.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/event-stream")
        );
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event's type and data; comments are passed over.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::trim)
                };
                let found = field("event:")
                    .map(str::to_owned)
                    .zip(field("data:").map(str::to_owned));
                self.text = self.text.split_off(self.text.len() - rest.len());
                if let Some((kind, data)) = found {
                    return (kind, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn a_member_hears_the_news_of_the_topics_asked_for_and_of_the_own_organisation_only() {
    let server = idle_server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let viewer = server.member(&ours, Role::Viewer).await;
    let mut stream = Stream::open(viewer.get("/realtime/v1/sse?topics=chores:1,chores:2")).await;
    assert_eq!(
        stream.next().await,
        ("ready".to_owned(), json!({})),
        "nothing that follows will be missed"
    );

    let live = server.kernel().live();
    live.publish(theirs.id, "chores:1", "state", json!({ "secret": true }))
        .await;
    live.publish(ours.id, "chores:3", "state", json!({ "unasked": true }))
        .await;
    live.publish(ours.id, "secrets:1", "state", json!({ "unasked": true }))
        .await;
    live.publish(ours.id, "chores:1", "progress", json!({ "done": 1, "total": 2 }))
        .await;
    let news = json!({ "topic": "chores:1", "type": "progress", "done": 1, "total": 2 });
    assert_eq!(stream.next().await, ("progress".to_owned(), news));

    let beside = TestServerOptions {
        no_workers: true,
        ..TestServerOptions::default()
    };
    let other = server.beside(vec![app()], beside).await;
    other
        .kernel()
        .live()
        .publish(ours.id, "chores:2", "state", json!({ "state": "done" }))
        .await;
    let news = json!({ "topic": "chores:2", "type": "state", "state": "done" });
    assert_eq!(
        stream.next().await,
        ("state".to_owned(), news),
        "other servers' news arrives too"
    );
}

#[tokio::test]
async fn a_stream_asks_for_sign_in_membership_and_the_permission_of_every_topic() {
    let server = idle_server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let viewer = server.member(&ours, Role::Viewer).await;
    let path = |topics: &str| format!("/realtime/v1/sse?topics={topics}");
    let refused = async |request| {
        let (status, body) = answer(request).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let stranger = server.anonymous(Method::GET, &path("chores:1"));
    assert_eq!(refused(stranger).await, (401, "auth.required".to_owned()));
    let intruder = theirs.owner.in_org(ours.id).get(&path("chores:1"));
    assert_eq!(refused(intruder).await, (404, "tenancy.org_not_found".to_owned()));
    for topics in ["secrets:1", "chores:1,secrets:1"] {
        assert_eq!(
            refused(viewer.get(&path(topics))).await,
            (403, "tenancy.permission_denied".to_owned()),
            "{topics}"
        );
    }
    let unknown = viewer.get(&path("nothing:1"));
    assert_eq!(refused(unknown).await, (400, "realtime.topic_unknown".to_owned()));
    for topics in [String::new(), ",,".to_owned(), ["chores:1"; 51].join(",")] {
        assert_eq!(
            refused(viewer.get(&path(&topics))).await,
            (400, "realtime.topics".to_owned()),
            "{topics}"
        );
    }
    let mut stream = Stream::open(ours.owner.get(&path("secrets:1"))).await;
    assert_eq!(stream.next().await.0, "ready");
}
