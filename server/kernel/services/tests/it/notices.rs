//! Telling people: who hears what, by which channel, when, and that nobody else does.

use jiff::{SignedDuration, civil::Time, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::{
    Ctx, Module,
    notify::{Channel, KindWords, Notification, NotificationKind},
    permission::Role,
};
use tenon_testkit::{TestOrg, TestServer, TestUser, answer};

use crate::chores::until;

tenon_sdk::permissions! {
    pub BellsHear = "bells.tower.hear", from Manager, "Hear the bells";
}

const fn words(title: &'static str) -> KindWords {
    KindWords {
        language: "en",
        label: "A bell",
        title,
        body: "It is ringing for {who}.",
        action: "Listen",
    }
}

const KINDS: &[NotificationKind] = &[
    NotificationKind {
        name: "bells.rung",
        channels: &[Channel::App, Channel::Mail],
        optional: true,
        digestable: true,
        urgent: false,
        words: &[
            words("{who} rang"),
            KindWords {
                language: "de",
                title: "{who} hat geläutet",
                ..words("")
            },
        ],
    },
    NotificationKind {
        name: "bells.fire",
        channels: &[Channel::App, Channel::Mail],
        optional: false,
        digestable: false,
        urgent: true,
        words: &[words("Fire, says {who}")],
    },
];

pub fn module() -> Module {
    Module::new("bells", "Bells")
        .permissions(ALL)
        .notifications(KINDS)
}

async fn server() -> TestServer {
    TestServer::configured(vec![module()], |config| config.mail.mailbox = true).await
}

/// Tells it, and waits until everybody has been told.
pub async fn tell(server: &TestServer, org: &TestOrg, told: &Notification) {
    let tx = Ctx::for_job(server.kernel().clone(), org.id, None)
        .begin()
        .await
        .unwrap();
    tx.notify(told).await.unwrap();
    tx.commit().await.unwrap();
    let spread =
        "select not exists (select from jobs.queue where name = 'notifications.spread' and state <> 'dead')";
    until(&server.admin().await, spread).await;
}

fn rung() -> Notification {
    Notification::new("bells.rung").value("who", "Ada").link("/tower")
}

async fn list(user: &TestUser, query: &str) -> Value {
    let (status, page) = answer(user.get(&format!("/api/v1/notifications{query}"))).await;
    assert_eq!(status, 200, "{page}");
    page
}

async fn titles(user: &TestUser) -> Vec<String> {
    let page = list(user, "").await;
    let notices = page["notices"].as_array().unwrap().iter();
    notices
        .map(|notice| notice["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Recipient, subject and text of mails, oldest first.
async fn mails(server: &TestServer) -> Vec<(String, String, String)> {
    let rows = server
        .admin()
        .await
        .query(
            "select recipient, subject, body_text from notifications.messages where channel = 'mail' and state = 'kept' order by created_at, id",
            &[],
        )
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

async fn choose(user: &TestUser, choice: Value) -> (u16, Value) {
    answer(
        user.request(Method::PUT, "/api/v1/notifications/preferences")
            .json(&choice),
    )
    .await
}

#[tokio::test]
async fn a_notification_comes_to_those_who_are_meant_and_to_nobody_else() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let manager = server.member(&ours, Role::Manager).await;
    let viewer = server.member(&ours, Role::Viewer).await;
    // The owner of another organisation is meant, too, by mistake.
    let told = rung()
        .to(viewer.id)
        .to(theirs.owner.id)
        .to_permission("bells.tower.hear");
    tell(&server, &ours, &told.except(Some(manager.id))).await;
    assert_eq!(titles(&ours.owner).await, ["Ada rang"]);
    assert_eq!(titles(&viewer).await, ["Ada rang"]);
    assert!(titles(&manager).await.is_empty(), "they did it themselves");
    assert!(titles(&theirs.owner).await.is_empty());
    let mut recipients: Vec<String> = mails(&server).await.into_iter().map(|(to, ..)| to).collect();
    recipients.sort();
    let mut meant = vec![ours.owner.email.clone(), viewer.email.clone()];
    meant.sort();
    assert_eq!(recipients, meant);

    let (status, _) = answer(server.anonymous(Method::GET, "/api/v1/notifications")).await;
    assert_eq!(status, 401);
    let (status, _) = answer(theirs.owner.in_org(ours.id).get("/api/v1/notifications")).await;
    assert_eq!(status, 404);
    let page = list(&viewer, "").await;
    assert_eq!(
        (&page["unread"], &page["notices"][0]["link"]),
        (&json!(1), &json!("/tower"))
    );
}

#[tokio::test]
async fn what_is_not_committed_is_not_told_and_who_left_hears_nothing() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let member = server.member(&org, Role::Member).await;
    let tx = Ctx::for_job(server.kernel().clone(), org.id, None)
        .begin()
        .await
        .unwrap();
    tx.notify(&rung().to(org.owner.id)).await.unwrap();
    tx.rollback().await.unwrap();
    let suspend = "update tenancy.memberships set suspended_at = now() where user_id = $1";
    server
        .admin()
        .await
        .execute(suspend, &[&member.id])
        .await
        .unwrap();
    tell(&server, &org, &rung().to(member.id)).await;
    let count = "select count(*) from notifications.notices";
    let row = server.admin().await.query_one(count, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
    assert!(mails(&server).await.is_empty());
}

#[tokio::test]
async fn notices_are_read_one_by_one_or_all_at_once_and_only_by_whose_they_are() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let member = server.member(&org, Role::Member).await;
    for _ in 0..3 {
        tell(&server, &org, &rung().to(org.owner.id).to(member.id)).await;
    }
    let page = list(&org.owner, "?limit=2").await;
    let ids: Vec<&str> = page["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        (ids.len(), &page["next"], &page["unread"]),
        (2, &json!(ids[1]), &json!(3))
    );
    let rest = list(&org.owner, &format!("?limit=2&before={}", ids[1])).await;
    assert_eq!(
        (rest["notices"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );

    let mark = async |user: &TestUser, body: Value| user.post_json("/api/v1/notifications/read", &body).await;
    // Somebody else's are not there.
    assert_eq!(
        mark(&member, json!({ "ids": ids })).await,
        (200, json!({ "changed": 0 }))
    );
    assert_eq!(
        mark(&org.owner, json!({ "ids": [ids[1]] })).await,
        (200, json!({ "changed": 1 }))
    );
    assert_eq!(
        list(&org.owner, "?unread=true").await["notices"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // What came after what they saw stays new.
    assert_eq!(
        mark(&org.owner, json!({ "until": ids[1] })).await,
        (200, json!({ "changed": 1 }))
    );
    assert_eq!(list(&org.owner, "").await["unread"], 1);
    assert_eq!(mark(&org.owner, json!({})).await, (200, json!({ "changed": 1 })));
    assert_eq!(
        mark(&org.owner, json!({ "ids": [ids[0]], "read": false })).await,
        (200, json!({ "changed": 1 }))
    );
    assert_eq!(list(&org.owner, "").await["unread"], 1);
    assert_eq!(list(&member, "").await["unread"], 3);

    let many: Vec<&str> = std::iter::repeat_n(ids[0], 501).collect();
    let (status, told) = mark(&org.owner, json!({ "ids": many })).await;
    assert_eq!((status, &told["code"]), (422, &json!("notifications.too_many")));
    for bad in [json!({ "ids": ["x"] }), json!({ "all": true }), json!("all")] {
        assert_eq!(mark(&org.owner, bad).await.0, 400);
    }
}

#[tokio::test]
async fn people_choose_by_kind_and_channel_but_what_must_be_told_is_told() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let owner = &org.owner;
    let off = json!({ "kinds": { "bells.rung": { "app": "off", "mail": "off" } } });
    assert_eq!(choose(owner, off).await.0, 204);
    tell(&server, &org, &rung().to(owner.id)).await;
    tell(
        &server,
        &org,
        &Notification::new("bells.fire").value("who", "Ada").to(owner.id),
    )
    .await;
    assert_eq!(titles(owner).await, ["Fire, says Ada"]);
    assert_eq!(mails(&server).await.len(), 1);

    let (status, mine) = answer(owner.get("/api/v1/notifications/preferences?language=de")).await;
    assert_eq!(status, 200);
    let kinds = mine["kinds"].as_array().unwrap();
    let kind = kinds.iter().find(|kind| kind["name"] == "bells.rung").unwrap();
    assert_eq!(
        (&kind["app"], &kind["mail"], &kind["sms"]),
        (&json!("off"), &json!("off"), &json!("off"))
    );
    for bad in [
        json!({ "kinds": { "bells.fire": { "mail": "off" } } }),
        json!({ "kinds": { "bells.fire": { "mail": "digest" } } }),
        json!({ "kinds": { "bells.rung": { "app": "digest" } } }),
        json!({ "kinds": { "bells.none": { "app": "off" } } }),
        json!({ "zone": "Europe/Atlantis" }),
        json!({ "zone": "../../etc/passwd" }),
        json!({ "quiet_from": "22:00" }),
        json!({ "quiet_from": "22:00", "quiet_until": "7" }),
        json!({ "digest_hour": 24 }),
        json!({ "digest_weekday": 0 }),
    ] {
        let (status, told) = choose(owner, bad.clone()).await;
        assert_eq!(
            (status, &told["code"]),
            (422, &json!("notifications.preferences_invalid")),
            "{bad}"
        );
    }
    let (status, _) = choose(owner, json!({ "kinds": { "bells.rung": { "post": "off" } } })).await;
    assert_eq!(status, 400);
    // A refused choice changes nothing.
    tell(&server, &org, &rung().to(owner.id)).await;
    assert_eq!(titles(owner).await.len(), 1);
    let (status, _) = answer(server.anonymous(Method::GET, "/api/v1/notifications/preferences")).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn in_quiet_hours_mails_wait_but_for_urgent_ones_and_the_bell_rings_at_once() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let owner = &org.owner;
    let now = server.kernel().env().now();
    let zone = TimeZone::get("Asia/Kathmandu").unwrap();
    let local = now.to_zoned(zone).datetime();
    let at = |hours: i64| -> String {
        let time: Time = local.time().wrapping_add(SignedDuration::from_hours(hours));
        time.strftime("%H:%M").to_string()
    };
    let quiet = json!({ "zone": "Asia/Kathmandu", "quiet_from": at(-1), "quiet_until": at(2) });
    assert_eq!(choose(owner, quiet).await.0, 204);
    tell(&server, &org, &rung().to(owner.id)).await;
    tell(
        &server,
        &org,
        &Notification::new("bells.fire").value("who", "Ada").to(owner.id),
    )
    .await;
    assert_eq!(titles(owner).await, ["Fire, says Ada", "Ada rang"]);
    let subjects = async || -> Vec<String> {
        mails(&server)
            .await
            .into_iter()
            .map(|(_, subject, _)| subject)
            .collect()
    };
    assert_eq!(subjects().await, ["Fire, says Ada"]);
    server.advance(SignedDuration::from_mins(130));
    let came = "select count(*) = 2 from notifications.messages where state = 'kept'";
    until(&server.admin().await, came).await;
    assert_eq!(subjects().await, ["Ada rang", "Fire, says Ada"]);
}

#[tokio::test]
async fn a_digest_is_one_mail_for_many_and_comes_once() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let owner = &org.owner;
    let digest = json!({ "digest": "weekly", "kinds": { "bells.rung": { "app": "off", "mail": "digest" } } });
    assert_eq!(choose(owner, digest).await.0, 204);
    for who in ["Ada", "Grace"] {
        tell(
            &server,
            &org,
            &Notification::new("bells.rung").value("who", who).to(owner.id),
        )
        .await;
    }
    assert!(titles(owner).await.is_empty() && mails(&server).await.is_empty());
    let admin = server.admin().await;
    let jobs = "select count(*) from jobs.queue where name = 'notifications.digest' and state = 'waiting'";
    assert_eq!(
        admin.query_one(jobs, &[]).await.unwrap().get::<_, i64>(0),
        1,
        "one job for both"
    );
    // Its time has come; and the job comes twice, as after a crash.
    let twice = "insert into jobs.queue (id, org_id, user_id, name, payload, state, run_at, ready_at, priority, max_attempts) \
                 select gen_random_uuid(), org_id, user_id, name, payload, 'waiting', now(), now(), priority, max_attempts \
                 from jobs.queue where name = 'notifications.digest'";
    admin.execute(twice, &[]).await.unwrap();
    admin
        .execute("update jobs.queue set run_at = now()", &[])
        .await
        .unwrap();
    server.drain_jobs().await;
    let mails = mails(&server).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let (to, subject, text) = &mails[0];
    assert_eq!((to, subject.as_str()), (&owner.email, "Ours: What is new"));
    assert!(text.contains("Ada rang") && text.contains("Grace rang"), "{text}");
}

#[tokio::test]
async fn hostile_values_are_words_and_nothing_else() {
    let server = server().await;
    let org = server.organization("<b>Ours</b>\u{202e}").await;
    let hostile = format!(
        "</mj-text><script>alert(1)</script>\r\nBcc: eve@example.com {}",
        "x".repeat(9000)
    );
    let told = Notification::new("bells.rung")
        .value("who", &hostile)
        .to(org.owner.id);
    tell(&server, &org, &told).await;
    let admin = server.admin().await;
    let row = admin
        .query_one(
            "select subject, body_html, body_text from notifications.messages where channel = 'mail'",
            &[],
        )
        .await
        .unwrap();
    let (subject, html): (String, String) = (row.get(0), row.get(1));
    assert!(
        !subject.contains(['\r', '\n']) && subject.chars().count() < 400,
        "{subject}"
    );
    assert!(
        !html.contains("<script") && !html.contains("<b>Ours") && html.contains("&lt;script&gt;"),
        "{html}"
    );
    assert_eq!(titles(&org.owner).await, [subject]);
}

#[tokio::test]
async fn a_mail_is_in_the_readers_language_and_leads_into_the_organisation() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let german = "update auth.users set raw_user_meta_data = raw_user_meta_data || '{\"locale\": \"de-AT\"}' where id = $1";
    server
        .admin()
        .await
        .execute(german, &[&org.owner.id])
        .await
        .unwrap();
    tell(&server, &org, &rung().to(org.owner.id)).await;
    let mails = mails(&server).await;
    assert_eq!(mails[0].1, "Ada hat geläutet");
    assert!(
        mails[0]
            .2
            .contains(&server.url(&format!("/o/{}/tower", org.slug))),
        "{}",
        mails[0].2
    );
}

#[tokio::test]
async fn what_is_kept_of_somebody_is_in_what_they_may_take_away() {
    let server = server().await;
    let org = server.organization("Ours").await;
    let member = server.member(&org, Role::Member).await;
    assert_eq!(
        choose(&member, json!({ "quiet_from": "22:00", "quiet_until": "07:00" }))
            .await
            .0,
        204
    );
    tell(&server, &org, &rung().to(member.id)).await;
    let (status, kept) = answer(member.get("/auth/v1/user/data")).await;
    assert_eq!(status, 200);
    assert!(
        kept.to_string().contains("22:00") && kept.to_string().contains("bells.rung"),
        "{kept}"
    );
}
