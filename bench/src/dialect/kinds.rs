//! The kinds of requests.

use axum::http::Method;
use serde_json::json;

/// Items of each organisation.
pub const ITEMS: i64 = 1000;
/// The number that stands for a random one while a request is compiled; no other value looks like it.
pub const SAMPLE: i64 = 777_777;

/// One kind.
pub struct Kind {
    pub name: &'static str,
    pub method: Method,
    /// Below `/rest/v1`.
    pub path: &'static str,
    /// With `{item}` where a number comes in.
    query: &'static str,
    pub prefer: Option<&'static str>,
    pub body: String,
    pub writes: bool,
}

impl Kind {
    pub fn query(&self, item: i64) -> String {
        self.query.replace("{item}", &item.to_string())
    }

    /// What pgbench has to know.
    pub fn variables(&self) -> Vec<String> {
        if self.body.is_empty() {
            return Vec::new();
        }
        vec![format!("body={}", self.body)]
    }
}

/// All of them; the second is the list.
pub fn all() -> Vec<Kind> {
    let get = |name, query| Kind {
        name,
        method: Method::GET,
        path: "/items",
        query,
        prefer: None,
        body: String::new(),
        writes: false,
    };
    let insert = |name, body| Kind {
        name,
        method: Method::POST,
        path: "/notes",
        query: "",
        prefer: Some("return=minimal"),
        body,
        writes: true,
    };
    let note = |number: i32| json!({ "title": format!("Note {number}"), "value": 12.5 });
    let many: Vec<_> = (0..1000).map(note).collect();
    vec![
        get("point", "id=eq.{item}&select=id,number,value"),
        get(
            "list",
            "select=id,number,value,created_at&order=created_at.desc&limit=50",
        ),
        get(
            "embeds",
            "select=id,number,value,customer:customers(name),lines(id,amount)&order=created_at.desc&limit=50",
        ),
        insert("insert", note(1).to_string()),
        insert("bulk", serde_json::Value::from(many).to_string()),
        Kind {
            name: "rpc",
            method: Method::POST,
            path: "/rpc/newest",
            query: "",
            prefer: None,
            body: json!({ "minimum": 100 }).to_string(),
            writes: false,
        },
    ]
}
