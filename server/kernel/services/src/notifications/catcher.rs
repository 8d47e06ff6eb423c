//! The mailbox of a development installation in the form of the mail catchers that suites ask: Mailpit's API, and the older one of
//! Inbucket. Served on a port of its own (`mail.catcher_port`), to whoever reaches it, as those are.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Kernel, Result, SystemTx};
use uuid::Uuid;

/// Most messages that are looked through.
const MOST: i64 = 10_000;

/// The catcher's routes.
pub(crate) fn router(kernel: &Kernel) -> Router {
    Router::new()
        .route("/livez", get(|| std::future::ready("ok")))
        .route("/readyz", get(|| std::future::ready("ok")))
        .route("/api/v1/info", get(info))
        .route("/api/v1/messages", get(list).delete(delete))
        .route("/api/v1/search", get(search).delete(delete_found))
        .route("/api/v1/message/{id}", get(message))
        .route("/api/v1/message/{id}/raw", get(raw))
        .route("/view/{file}", get(view))
        .route("/api/v1/mailbox/{name}", get(box_of).delete(empty_box))
        .route("/api/v1/mailbox/{name}/{id}", get(in_box).delete(delete_in_box))
        .with_state(kernel.clone())
}

/// A kept mail.
struct Mail {
    id: Uuid,
    recipient: String,
    subject: String,
    text: String,
    html: String,
    created_at: Timestamp,
    from: (String, String),
}

impl Mail {
    fn key(&self) -> String {
        self.id.simple().to_string()
    }

    /// The name of its mailbox: the address before the `@`, without what follows a plus sign.
    fn mailbox(&self) -> &str {
        mailbox_of(&self.recipient)
    }

    fn size(&self) -> usize {
        self.raw().len()
    }

    fn sender(&self) -> Value {
        json!({ "Name": self.from.0, "Address": self.from.1 })
    }

    fn recipients(&self) -> Value {
        json!([{ "Name": "", "Address": self.recipient }])
    }

    /// As it stands in a list.
    fn line(&self) -> Value {
        let snippet: String = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        json!({
            "ID": self.key(), "MessageID": format!("{}@tenon", self.key()), "Read": false, "From": self.sender(),
            "To": self.recipients(), "Cc": [], "Bcc": [], "ReplyTo": [], "Subject": self.subject,
            "Created": self.created_at.to_string(), "Username": "", "Tags": [], "Size": self.size(), "Attachments": 0,
            "Snippet": snippet.chars().take(250).collect::<String>(),
        })
    }

    /// As a whole, in Mailpit's form.
    fn whole(&self) -> Value {
        json!({
            "ID": self.key(), "MessageID": format!("{}@tenon", self.key()), "From": self.sender(),
            "To": self.recipients(), "Cc": [], "Bcc": [], "ReplyTo": [], "ReturnPath": self.from.1,
            "Subject": self.subject, "Date": self.created_at.to_string(), "Tags": [], "Username": "",
            "Text": self.text, "HTML": self.html, "Size": self.size(), "Inline": [], "Attachments": [],
        })
    }

    /// As it stands in a list of Inbucket's.
    fn entry(&self) -> Value {
        json!({
            "mailbox": self.mailbox(), "id": self.key(), "from": format!("{} <{}>", self.from.0, self.from.1),
            "to": [format!("<{}>", self.recipient)], "subject": self.subject, "date": self.created_at.to_string(),
            "posix-millis": self.created_at.as_millisecond(), "size": self.size(), "seen": false,
        })
    }

    /// As a whole, in Inbucket's form.
    fn entry_with_body(&self) -> Value {
        let mut entry = self.entry();
        entry["header"] = json!({ "To": [self.recipient], "Subject": [self.subject] });
        entry["body"] = json!({ "text": self.text, "html": self.html });
        entry["attachments"] = json!([]);
        entry
    }

    /// The message as text. Subjects and addresses hold no line breaks when they are queued; here none may come in either.
    fn raw(&self) -> String {
        let flat = |text: &str| text.replace(['\r', '\n'], " ");
        format!(
            "From: {} <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}",
            flat(&self.from.0),
            self.from.1,
            flat(&self.recipient),
            flat(&self.subject),
            self.created_at,
            self.text
        )
    }
}

fn mailbox_of(address: &str) -> &str {
    let name = address.split('@').next().unwrap_or_default();
    name.split('+').next().unwrap_or_default()
}

/// All kept mail, newest first.
async fn kept(kernel: &Kernel) -> Result<Vec<Mail>> {
    let from = kernel.config().mail.from.parse::<lettre::message::Mailbox>();
    let from = from.map_or_else(
        |_| (String::new(), String::new()),
        |from| (from.name.unwrap_or_default(), from.email.to_string()),
    );
    let tx = SystemTx::begin(kernel.db(), "mail catcher").await?;
    let rows = tx
        .query(
            "select id, recipient, subject, body_text, body_html, created_at from notifications.messages \
             where state = 'kept' and channel = 'mail' order by created_at desc, id desc limit $1",
            &[&MOST],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Mail {
                id: row.try_get(0)?,
                recipient: row.try_get(1)?,
                subject: row.try_get(2)?,
                text: row.try_get(3)?,
                html: row.try_get(4)?,
                created_at: row.try_get(5)?,
                from: from.clone(),
            })
        })
        .collect()
}

async fn remove(kernel: &Kernel, ids: &[Uuid]) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "mail catcher").await?;
    tx.execute(
        "delete from notifications.messages where state = 'kept' and channel = 'mail' and id = any($1)",
        &[&ids],
    )
    .await?;
    tx.commit().await
}

fn missing() -> Response {
    (
        StatusCode::NOT_FOUND,
        Json(json!({ "Error": "message not found" })),
    )
        .into_response()
}

fn answer(result: Result<Response>) -> Response {
    result.unwrap_or_else(IntoResponse::into_response)
}

#[derive(Default, Deserialize)]
struct Page {
    #[serde(default)]
    start: usize,
    limit: Option<usize>,
    #[serde(default)]
    query: String,
}

/// A page of what was found, in Mailpit's form.
fn page(all: usize, found: &[Mail], page: &Page) -> Response {
    let limit = page.limit.unwrap_or(50);
    let shown: Vec<_> = found
        .iter()
        .skip(page.start)
        .take(limit)
        .map(Mail::line)
        .collect();
    Json(json!({
        "total": all, "unread": all, "count": shown.len(), "messages_count": found.len(), "messages_unread": found.len(),
        "start": page.start, "tags": [], "messages": shown,
    }))
    .into_response()
}

async fn info(State(kernel): State<Kernel>) -> Response {
    let result = async {
        let count = kept(&kernel).await?.len();
        Ok(Json(json!({
            "Version": concat!("tenon ", env!("CARGO_PKG_VERSION")), "LatestVersion": "", "Database": "", "DatabaseSize": 0,
            "Messages": count, "Unread": count, "Tags": {}, "RuntimeStats": {},
        }))
        .into_response())
    };
    answer(result.await)
}

async fn list(State(kernel): State<Kernel>, Query(asked): Query<Page>) -> Response {
    answer(kept(&kernel).await.map(|all| page(all.len(), &all, &asked)))
}

/// Words of a search that all have to hold: `to:`, `from:`, `subject:` and what stands anywhere; `!` or `-` before one means that it
/// must not. Quotes hold words together.
fn holds(mail: &Mail, query: &str) -> bool {
    let has = |text: &str, word: &str| text.to_lowercase().contains(word);
    words(query).iter().all(|word| {
        let (negated, word) = match word.strip_prefix(['!', '-']) {
            Some(rest) => (true, rest),
            None => (false, word.as_str()),
        };
        let found = match word.split_once(':') {
            Some(("to" | "addressed", address)) => has(&mail.recipient, address),
            Some(("from", address)) => has(&mail.from.1, address) || has(&mail.from.0, address),
            Some(("subject", text)) => has(&mail.subject, text),
            Some(("is", "unread")) => true,
            Some(("is" | "has" | "tag" | "cc" | "bcc", _)) => false,
            _ => has(&mail.recipient, word) || has(&mail.subject, word) || has(&mail.text, word),
        };
        found != negated
    })
}

fn words(query: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for letter in query.to_lowercase().chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

async fn search(State(kernel): State<Kernel>, Query(asked): Query<Page>) -> Response {
    let result = async {
        let mut mails = kept(&kernel).await?;
        let all = mails.len();
        mails.retain(|mail| holds(mail, &asked.query));
        Ok(page(all, &mails, &asked))
    };
    answer(result.await)
}

async fn delete_found(State(kernel): State<Kernel>, Query(asked): Query<Page>) -> Response {
    let result = async {
        let mut mails = kept(&kernel).await?;
        mails.retain(|mail| !words(&asked.query).is_empty() && holds(mail, &asked.query));
        remove(&kernel, &mails.iter().map(|mail| mail.id).collect::<Vec<_>>()).await?;
        Ok("ok".into_response())
    };
    answer(result.await)
}

#[derive(Default, Deserialize)]
struct Chosen {
    #[serde(default, rename = "IDs", alias = "ids")]
    ids: Vec<String>,
}

/// Deletes what is named, or all.
async fn delete(State(kernel): State<Kernel>, body: Bytes) -> Response {
    let result = async {
        let chosen: Chosen = serde_json::from_slice(&body).unwrap_or_default();
        let mut mails = kept(&kernel).await?;
        if !chosen.ids.is_empty() {
            mails.retain(|mail| chosen.ids.contains(&mail.key()));
        }
        remove(&kernel, &mails.iter().map(|mail| mail.id).collect::<Vec<_>>()).await?;
        Ok("ok".into_response())
    };
    answer(result.await)
}

/// One mail by its id, or the newest with `latest`; with a mailbox's name, of that mailbox.
async fn one(kernel: &Kernel, id: &str, mailbox: Option<&str>) -> Result<Option<Mail>> {
    let mails = kept(kernel).await?.into_iter();
    let mut mails =
        mails.filter(|mail| mailbox.is_none_or(|name| mail.mailbox() == mailbox_of(&name.to_lowercase())));
    Ok(mails.find(|mail| id == "latest" || mail.key() == id || mail.id.to_string() == id))
}

async fn message(State(kernel): State<Kernel>, Path(id): Path<String>) -> Response {
    let found = one(&kernel, &id, None).await;
    answer(found.map(|mail| mail.map_or_else(missing, |mail| Json(mail.whole()).into_response())))
}

async fn raw(State(kernel): State<Kernel>, Path(id): Path<String>) -> Response {
    let found = one(&kernel, &id, None).await;
    answer(found.map(|mail| mail.map_or_else(missing, |mail| text(mail.raw()))))
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// `ID.html` and `ID.txt`.
async fn view(State(kernel): State<Kernel>, Path(file): Path<String>) -> Response {
    let (id, plain) = match file.rsplit_once('.') {
        Some((id, "txt")) => (id, true),
        Some((id, "html")) => (id, false),
        _ => return missing(),
    };
    let found = one(&kernel, id, None).await;
    answer(found.map(|mail| match mail {
        Some(mail) if plain => text(mail.text),
        Some(mail) => Html(mail.html).into_response(),
        None => missing(),
    }))
}

async fn box_of(State(kernel): State<Kernel>, Path(name): Path<String>) -> Response {
    let result = async {
        let name = name.to_lowercase();
        let mut mails = kept(&kernel).await?;
        mails.retain(|mail| mail.mailbox() == mailbox_of(&name));
        // Inbucket's come oldest first.
        let entries: Vec<_> = mails.iter().rev().map(Mail::entry).collect();
        Ok(Json(entries).into_response())
    };
    answer(result.await)
}

async fn empty_box(State(kernel): State<Kernel>, Path(name): Path<String>) -> Response {
    let result = async {
        let name = name.to_lowercase();
        let mut mails = kept(&kernel).await?;
        mails.retain(|mail| mail.mailbox() == mailbox_of(&name));
        remove(&kernel, &mails.iter().map(|mail| mail.id).collect::<Vec<_>>()).await?;
        Ok(Json("OK").into_response())
    };
    answer(result.await)
}

async fn in_box(State(kernel): State<Kernel>, Path((name, id)): Path<(String, String)>) -> Response {
    let found = one(&kernel, &id, Some(&name)).await;
    answer(found.map(|mail| mail.map_or_else(missing, |mail| Json(mail.entry_with_body()).into_response())))
}

async fn delete_in_box(State(kernel): State<Kernel>, Path((name, id)): Path<(String, String)>) -> Response {
    let result = async {
        match one(&kernel, &id, Some(&name)).await? {
            Some(mail) => {
                remove(&kernel, &[mail.id]).await?;
                Ok(Json("OK").into_response())
            }
            None => Ok(missing()),
        }
    };
    answer(result.await)
}
