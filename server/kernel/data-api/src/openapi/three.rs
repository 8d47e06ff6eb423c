//! `OpenAPI` 3.1: rows, new rows and changes are schemas of their own, with JSON Schema's words for what may be null.

use serde_json::{Map, Value, json};

use super::{Options, comment, swagger, value};
use crate::catalogue::{Catalogue, Column, Kind, Mode, Relation, Routine, TypeId};

type Object = Map<String, Value>;

const ONE: &str = "application/vnd.pgrst.object+json";

/// Which columns of a relation a schema shows, and which of them it needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// What is read.
    Row,
    /// What is inserted.
    New,
    /// What is changed.
    Change,
}

pub(super) fn document(catalogue: &Catalogue, options: &Options) -> Value {
    let mut paths = Object::new();
    let mut schemas = Object::new();
    for relation in options.relations(catalogue) {
        let name = &relation.name;
        schemas.insert(name.clone(), schema(catalogue, relation, Shape::Row, options));
        if relation.insertable {
            schemas.insert(
                format!("{name}.new"),
                schema(catalogue, relation, Shape::New, options),
            );
        }
        if relation.updatable {
            schemas.insert(
                format!("{name}.change"),
                schema(catalogue, relation, Shape::Change, options),
            );
        }
        paths.insert(format!("/{name}"), table_path(relation));
    }
    for function in options.functions(catalogue) {
        let path = function_path(catalogue, function, options);
        paths.insert(format!("/rpc/{}", function.name), path);
    }
    let mut components = Object::new();
    components.insert("schemas".to_owned(), Value::Object(schemas));
    components.insert("parameters".to_owned(), shared_parameters());
    components.insert("responses".to_owned(), json!({"Error": error()}));
    if options.security {
        let scheme = json!({"JWT": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}});
        components.insert("securitySchemes".to_owned(), scheme);
    }
    let mut document = Object::new();
    document.insert("openapi".to_owned(), "3.1.0".into());
    document.insert("info".to_owned(), swagger::info(catalogue));
    let server = options.address.url();
    document.insert(
        "servers".to_owned(),
        json!([{"url": server.trim_end_matches('/')}]),
    );
    if options.security {
        document.insert("security".to_owned(), json!([{"JWT": []}]));
    }
    document.insert("paths".to_owned(), Value::Object(paths));
    document.insert("components".to_owned(), Value::Object(components));
    Value::Object(document)
}

fn error() -> Value {
    let text = json!({"type": ["string", "null"]});
    json!({"description": "The request was refused.", "content": {"application/json": {"schema": {
        "type": "object",
        "required": ["code", "message", "details", "hint"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {}, "hint": text},
    }}}})
}

fn shared_parameters() -> Value {
    let parameter = |name: &str, place: &str, description: &str| json!({"name": name, "in": place, "description": description, "schema": {"type": "string"}});
    let number = |name: &str, description: &str| json!({"name": name, "in": "query", "description": description, "schema": {"type": "integer", "minimum": 0}});
    json!({
        "select": parameter("select", "query", "Columns and embedded relations, separated by commas"),
        "order": parameter("order", "query", "column.asc|desc.nullsfirst|nullslast, separated by commas"),
        "columns": parameter("columns", "query", "Keys of the body that are written"),
        "on_conflict": parameter("on_conflict", "query", "Columns whose conflict makes an insert an update"),
        "limit": number("limit", "Most rows"),
        "offset": number("offset", "Rows left out before the first"),
        "range": parameter("Range", "header", "First and last row, 0-49"),
        "prefer": parameter("Prefer", "header", "Wishes: return, count, resolution, missing, handling, max-affected"),
    })
}

fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

fn row(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn content(description: &str, media: &Value) -> Value {
    json!({"description": description, "content": media})
}

/// Adds summary, description and tag; every operation may be refused.
fn operation(mut operation: Object, id: &str, text: Option<&str>, tag: &str) -> Value {
    operation.insert("operationId".to_owned(), id.into());
    if let Some(text) = text {
        let (summary, description) = comment::split(text);
        operation.insert("summary".to_owned(), summary.into());
        if let Some(description) = description {
            operation.insert("description".to_owned(), description.into());
        }
    }
    operation.insert("tags".to_owned(), json!([tag]));
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        responses.insert(
            "default".to_owned(),
            json!({"$ref": "#/components/responses/Error"}),
        );
    }
    Value::Object(operation)
}

fn table_path(relation: &Relation) -> Value {
    let name = &relation.name;
    let filters = || {
        relation.columns.iter().map(|column| {
            json!({"name": column.name, "in": "query", "description": "operator.value",
                "schema": {"type": "string"}})
        })
    };
    let rows = json!({
        "application/json": {"schema": {"type": "array", "items": row(name)}},
        ONE: {"schema": row(name)},
        "text/csv": {"schema": {"type": "string"}},
    });
    let shown = content("The rows, if they were asked for", &rows);
    let verb = |method: &str, parameters: Vec<Value>, body: Option<Value>, responses: Value| {
        let mut verb = Object::new();
        verb.insert("parameters".to_owned(), parameters.into());
        if let Some(schema) = body {
            let media = json!({"application/json": {"schema": schema}});
            verb.insert(
                "requestBody".to_owned(),
                json!({"required": true, "content": media}),
            );
        }
        verb.insert("responses".to_owned(), responses);
        operation(
            verb,
            &format!("{method}.{name}"),
            relation.comment.as_deref(),
            name,
        )
    };
    let mut path = Object::new();
    let page = ["select", "order", "limit", "offset", "range", "prefer"];
    let read = filters().chain(page.map(shared)).collect();
    let pages = json!({"200": content("All rows", &rows), "206": content("Some of the rows", &rows)});
    path.insert("get".to_owned(), verb("read", read, None, pages));
    if relation.insertable {
        let new = row(&format!("{name}.new"));
        let body = json!({"oneOf": [new, {"type": "array", "items": new}]});
        let parameters = ["select", "columns", "on_conflict", "prefer"]
            .map(shared)
            .to_vec();
        let made = json!({"201": shown, "200": shown});
        path.insert("post".to_owned(), verb("insert", parameters, Some(body), made));
    }
    let changed = json!({"200": shown, "204": {"description": "Done"}});
    let chosen = || filters().chain(["select", "prefer"].map(shared)).collect();
    if relation.updatable {
        let body = row(&format!("{name}.change"));
        path.insert(
            "patch".to_owned(),
            verb("update", chosen(), Some(body), changed.clone()),
        );
    }
    if relation.deletable {
        path.insert("delete".to_owned(), verb("delete", chosen(), None, changed));
    }
    Value::Object(path)
}

fn schema(catalogue: &Catalogue, relation: &Relation, shape: Shape, options: &Options) -> Value {
    let keys = options.keys.get(&relation.name);
    let written = |column: &&Column| {
        shape == Shape::Row || (!column.generated && column.identity != Some('a') && column.updatable)
    };
    let needed = |column: &&Column| match shape {
        Shape::Row => true,
        Shape::New => column.required && column.default.is_none() && column.identity.is_none(),
        Shape::Change => false,
    };
    let properties: Object = relation
        .columns
        .iter()
        .filter(written)
        .map(|column| {
            let mut property = typed(catalogue, column.type_id, options);
            if let Some(length) = catalogue.max_length(column) {
                property.insert("maxLength".to_owned(), length.into());
            }
            let default = column
                .default
                .as_deref()
                .filter(|_| shape == Shape::New)
                .and_then(|expression| value::default(expression, &catalogue.shown_type(column)))
                .filter(|default| !default.as_str().is_some_and(|text| text.contains('(')));
            if let Some(default) = default {
                property.insert("default".to_owned(), default);
            }
            let mut property = if column.required {
                property
            } else {
                or_null(property)
            };
            if let Some(text) = comment::of_column(column.comment.as_deref(), &column.name, keys) {
                property.insert("description".to_owned(), text.into());
            }
            (column.name.clone(), Value::Object(property))
        })
        .collect();
    let required: Vec<&str> = relation
        .columns
        .iter()
        .filter(written)
        .filter(needed)
        .map(|column| column.name.as_str())
        .collect();
    let mut schema = Object::new();
    schema.insert("type".to_owned(), "object".into());
    if let Some(comment) = &relation.comment {
        schema.insert("description".to_owned(), comment.as_str().into());
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

/// The schema of a type.
fn typed(catalogue: &Catalogue, id: TypeId, options: &Options) -> Object {
    let mut schema = Object::new();
    let Some(found) = catalogue.base_of(id) else {
        return schema;
    };
    let mut set = |name: &str, value: Value| {
        schema.insert(name.to_owned(), value);
    };
    match found.kind {
        Kind::Array => {
            let items = found.element.map(|element| typed(catalogue, element, options));
            set("type", "array".into());
            set("items", Value::Object(items.unwrap_or_default()));
        }
        Kind::Enum => {
            set("type", "string".into());
            set("enum", json!(found.values));
        }
        Kind::Composite => {
            let attributes = found.attributes.iter().flatten();
            let properties: Object = attributes
                .map(|attribute| {
                    let property = or_null(typed(catalogue, attribute.type_id, options));
                    (attribute.name.clone(), Value::Object(property))
                })
                .collect();
            set("type", "object".into());
            set("properties", Value::Object(properties));
        }
        Kind::Row => {
            let described = found.relation.as_ref().filter(|name| {
                found.schema == catalogue.schema
                    && options
                        .relations(catalogue)
                        .any(|relation| relation.name == **name)
            });
            match described {
                Some(name) => set("$ref", format!("#/components/schemas/{name}").into()),
                None => set("type", "object".into()),
            }
        }
        Kind::Base | Kind::Domain => {
            if let Some(kind) = value::kind(&found.sql) {
                set("type", kind.into());
            }
            let format = match found.name.as_str() {
                "int2" | "int4" => Some("int32"),
                "int8" => Some("int64"),
                "float4" => Some("float"),
                "float8" => Some("double"),
                "uuid" => Some("uuid"),
                "date" => Some("date"),
                "timestamptz" => Some("date-time"),
                _ => None,
            };
            if let Some(format) = format {
                set("format", format.into());
            }
        }
    }
    schema
}

/// The same, or null.
fn or_null(mut schema: Object) -> Object {
    if schema.contains_key("$ref") || schema.contains_key("enum") {
        let mut either = Object::new();
        either.insert("anyOf".to_owned(), json!([schema, {"type": "null"}]));
        return either;
    }
    if let Some(Value::String(kind)) = schema.get("type") {
        let both = json!([kind, "null"]);
        schema.insert("type".to_owned(), both);
    }
    schema
}

fn function_path(catalogue: &Catalogue, function: &Routine, options: &Options) -> Value {
    let tag = format!("(rpc) {}", function.name);
    let result = returned(catalogue, function, options);
    let responses = match result {
        Some(schema) => {
            let media = json!({"application/json": {"schema": schema}});
            json!({"200": content("What the function returned", &media)})
        }
        None => json!({"204": {"description": "The function returned nothing"}}),
    };
    let mut path = Object::new();
    if !function.volatile {
        let parameters: Vec<Value> = function
            .inputs()
            .filter(|argument| !argument.name.is_empty())
            .map(|argument| {
                let schema = if argument.mode == Mode::Variadic {
                    typed(catalogue, argument.type_id, options)
                } else {
                    let mut text = typed(catalogue, argument.type_id, options);
                    if matches!(text.get("type"), None | Some(Value::String(_)))
                        && (text.get("type").is_none() || text["type"] == "array" || text["type"] == "object")
                    {
                        text = Object::new();
                        text.insert("type".to_owned(), "string".into());
                    }
                    text
                };
                json!({"name": argument.name, "in": "query", "required": argument.required, "schema": schema})
            })
            .collect();
        let get = Object::from_iter([
            ("parameters".to_owned(), Value::from(parameters)),
            ("responses".to_owned(), responses.clone()),
        ]);
        let id = format!("query.{}", function.name);
        path.insert(
            "get".to_owned(),
            operation(get, &id, function.comment.as_deref(), &tag),
        );
    }
    let body = json!({"required": true, "content": {"application/json": {
        "schema": arguments(catalogue, function, options)}}});
    let post = Object::from_iter([
        ("parameters".to_owned(), json!([shared("prefer")])),
        ("requestBody".to_owned(), body),
        ("responses".to_owned(), responses),
    ]);
    let id = format!("call.{}", function.name);
    path.insert(
        "post".to_owned(),
        operation(post, &id, function.comment.as_deref(), &tag),
    );
    Value::Object(path)
}

fn arguments(catalogue: &Catalogue, function: &Routine, options: &Options) -> Value {
    let properties: Object = function
        .inputs()
        .map(|argument| {
            let property = typed(catalogue, argument.type_id, options);
            (argument.name.clone(), Value::Object(property))
        })
        .collect();
    let required: Vec<&str> = function
        .inputs()
        .filter(|argument| argument.required)
        .map(|argument| argument.name.as_str())
        .collect();
    let mut schema = object_of(properties);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

fn object_of(properties: Object) -> Object {
    Object::from_iter([
        ("type".to_owned(), Value::from("object")),
        ("properties".to_owned(), Value::Object(properties)),
    ])
}

/// What a call answers with; none for nothing.
fn returned(catalogue: &Catalogue, function: &Routine, options: &Options) -> Option<Value> {
    let outputs: Object = function
        .outputs()
        .map(|output| {
            let property = or_null(typed(catalogue, output.type_id, options));
            (output.name.clone(), Value::Object(property))
        })
        .collect();
    let found = catalogue.type_of(function.returns)?;
    if found.sql == "void" {
        return None;
    }
    let row = match outputs.len() {
        0 => Value::Object(typed(catalogue, function.returns, options)),
        _ if found.sql == "record" => Value::Object(object_of(outputs)),
        _ => Value::Object(typed(catalogue, function.returns, options)),
    };
    Some(if function.returns_set {
        json!({"type": "array", "items": row})
    } else {
        row
    })
}
