//! News of jobs and the like, by topic.

use reqwest::Method;
use serde_json::json;
use tenon_sdk::{Module, permission::Role};
use tenon_testkit::{TestServer, TestServerOptions, answer};

use crate::stream::Stream;

tenon_sdk::permissions! {
    pub ChoresRead = "chores.items.read", from Viewer, "See chores";
    pub SecretsRead = "chores.secrets.read", from Admin, "See secrets";
}

fn modules() -> Vec<Module> {
    let chores = Module::app("chores", "Chores")
        .permissions(ALL)
        .topic("chores", "chores.items.read")
        .topic("secrets", "chores.secrets.read");
    vec![tenon_realtime::module(), chores]
}

#[tokio::test]
async fn a_member_hears_the_news_of_the_topics_asked_for_and_of_the_own_organisation_only() {
    let server = TestServer::start(modules()).await;
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
    let other = server.beside(modules(), beside).await;
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
    let server = TestServer::start(modules()).await;
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

#[tokio::test]
async fn of_a_topic_that_everybody_has_their_own_of_nobody_hears_anothers() {
    let server = TestServer::start(modules()).await;
    let org = server.organization("Ours").await;
    let member = server.member(&org, Role::Member).await;
    // Notices of the bell; the notifications service declares it.
    let topic = format!("notifications:{}", org.owner.id.0);
    let path = format!("/realtime/v1/sse?topics={topic}");
    for other in [&member, &org.owner] {
        for path in [
            path.as_str(),
            "/realtime/v1/sse?topics=notifications:",
            "/realtime/v1/sse?topics=notifications",
        ] {
            if other.id == org.owner.id && path.ends_with(&topic) {
                continue;
            }
            let (status, told) = answer(other.get(path)).await;
            assert_eq!(
                (status, &told["code"]),
                (400, &json!("realtime.topic_unknown")),
                "{path}"
            );
        }
    }
    let mut stream = Stream::open(org.owner.get(&path)).await;
    assert_eq!(stream.next().await.0, "ready");
    let tx = tenon_sdk::Ctx::for_job(server.kernel().clone(), org.id, None)
        .begin()
        .await
        .unwrap();
    tx.publish([topic.clone()], "notice", &json!({})).await.unwrap();
    tx.rollback().await.unwrap();
    let tx = tenon_sdk::Ctx::for_job(server.kernel().clone(), org.id, None)
        .begin()
        .await
        .unwrap();
    tx.publish([topic.clone()], "notice", &json!({ "committed": true }))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let news = json!({ "topic": topic, "type": "notice", "committed": true });
    assert_eq!(stream.next().await, ("notice".to_owned(), news));
}
