use serde_json::{Value, json};

use super::*;

/// Two tables, a view and functions, as the catalogue's query tells them.
fn catalogue() -> Catalogue {
    let column = |name: &str, ty: u32, more: Value| {
        let mut column = json!({"name": name, "type": ty, "typmod": -1, "modifier": null, "required": false,
            "default": null, "identity": null, "generated": false, "updatable": true, "comment": null});
        for (key, value) in more.as_object().into_iter().flatten() {
            column[key] = value.clone();
        }
        column
    };
    let ty = |sql: &str, name: &str, kind: &str, more: Value| {
        let schema = if sql.starts_with("shop.") {
            "shop"
        } else {
            "pg_catalog"
        };
        let mut ty = json!({"schema": schema, "name": name, "sql": sql, "kind": kind, "element": null, "base": null,
            "typmod": -1, "relation": null, "values": null, "attributes": null});
        for (key, value) in more.as_object().into_iter().flatten() {
            ty[key] = value.clone();
        }
        ty
    };
    let relation = |name: &str, view: bool, accessible: bool, comment: Value, columns: Value| {
        json!({"name": name, "view": view, "comment": comment, "accessible": accessible, "insertable": !view,
            "updatable": !view, "deletable": !view, "columns": columns})
    };
    let function = |name: &str, volatile: bool, returns: u32, set: bool, arguments: Value| {
        json!({"name": name, "comment": "Sums up\n\nAll of them.", "accessible": true, "volatile": volatile,
            "returns": returns, "returns_set": set, "one_row": !set, "arguments": arguments})
    };
    let input = |name: &str, ty: u32, mode: &str, required: bool| json!({"name": name, "type": ty, "mode": mode, "required": required});
    let json = json!({
        "schema": "shop",
        "comment": "The shop\nWhat is sold\nand bought",
        "relations": [
            relation("goods", false, true, json!("Goods\n\nof the shop"), json!([
                column("id", 20, json!({"required": true, "identity": "a", "comment": "Number"})),
                column("code", 1042, json!({"typmod": 7, "default": "'abc'::character"})),
                column("level", 900, json!({"default": "'low'::shop.level", "required": true})),
                column("mail", 901, json!({})),
                column("tags", 1009, json!({"default": "'{}'::text[]"})),
                column("maker", 23, json!({})),
                column("data", 3802, json!({})),
            ])),
            relation("secrets", false, false, Value::Null, json!([column("id", 23, json!({}))])),
            relation("goods_view", true, true, Value::Null, json!([column("id", 20, json!({}))])),
        ],
        "functions": [
            function("total", false, 20, false, json!([])),
            function("total", false, 20, false, json!([
                input("level", 900, "i", true), input("most", 23, "i", false), input("list", 1009, "i", false),
                input("extra", 3802, "i", false)])),
            function("all_of", false, 904, true, json!([input("names", 1009, "v", true)])),
            function("clear", true, 2278, false, json!([])),
            function("clear", true, 2278, false, json!([input("", 23, "i", true), input("", 23, "i", true)])),
            function("by_number", false, 20, false, json!([input("", 23, "i", true)])),
            function("by_body", false, 20, false, json!([input("", 3802, "i", true)])),
        ],
        "types": {
            "20": ty("bigint", "int8", "base", json!({})),
            "23": ty("integer", "int4", "base", json!({})),
            "25": ty("text", "text", "base", json!({})),
            "1042": ty("character", "bpchar", "base", json!({})),
            "1043": ty("character varying", "varchar", "base", json!({})),
            "1009": ty("text[]", "_text", "array", json!({"element": 25})),
            "3802": ty("jsonb", "jsonb", "base", json!({})),
            "2278": ty("void", "void", "base", json!({})),
            "900": ty("shop.level", "level", "enum", json!({"values": ["low", "high"]})),
            "901": ty("shop.mail", "mail", "domain", json!({"base": 1043, "typmod": 204})),
            "904": ty("shop.goods", "goods", "row", json!({"relation": "goods"})),
        }
    });
    Catalogue::from_json(json.to_string().as_bytes()).expect("the fixture is valid")
}

fn options(standard: Standard, everything: bool) -> Options {
    let keys = Keys {
        primary: vec!["id".to_owned()],
        foreign: HashMap::from([("maker".to_owned(), ("makers".to_owned(), "id".to_owned()))]),
    };
    Options {
        standard,
        everything,
        security: everything,
        address: Address::new(Some("https://example.com/api"), "", 0),
        search_path: vec!["shop".to_owned(), "public".to_owned()],
        keys: HashMap::from([("goods".to_owned(), keys)]),
    }
}

fn swagger() -> Value {
    options(Standard::Swagger, false).describe(&catalogue())
}

#[test]
fn a_schemas_comment_is_title_and_description() {
    let document = swagger();
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(document["info"]["title"], "The shop");
    assert_eq!(document["info"]["description"], "What is sold\nand bought");
    let place = (&document["host"], &document["basePath"], &document["schemes"]);
    assert_eq!(
        place,
        (&json!("example.com:443"), &json!("/api"), &json!(["https"]))
    );
    let nameless = Catalogue {
        comment: None,
        ..catalogue()
    };
    let document = options(Standard::Swagger, false).describe(&nameless);
    assert_eq!(document["info"]["title"], "PostgREST API");
}

#[test]
fn a_table_is_a_path_a_definition_and_its_filters() {
    let document = swagger();
    let path = &document["paths"]["/goods"];
    assert_eq!(
        (&path["get"]["summary"], &path["get"]["description"]),
        (&json!("Goods"), &json!("of the shop"))
    );
    let reference = |name: &str| json!({"$ref": format!("#/parameters/{name}")});
    assert_eq!(path["get"]["parameters"][0], reference("rowFilter.goods.id"));
    assert_eq!(
        path["post"]["parameters"],
        json!([
            reference("body.goods"),
            reference("select"),
            reference("preferPost")
        ])
    );
    assert_eq!(path["patch"]["parameters"][7], reference("body.goods"));
    assert_eq!(
        document["paths"]["/goods_view"]
            .as_object()
            .map(serde_json::Map::len),
        Some(1)
    );
    assert_eq!(
        document["parameters"]["rowFilter.goods.id"],
        json!({"name": "id", "description": "Number", "required": false, "in": "query", "type": "string"})
    );
    assert_eq!(
        document["definitions"]["goods"],
        json!({"description": "Goods\n\nof the shop", "required": ["id", "level"], "type": "object", "properties": {
            "id": {"description": "Number\n\nNote:\nThis is a Primary Key.<pk/>", "format": "int64", "type": "integer"},
            "code": {"default": "abc", "format": "character", "type": "string", "maxLength": 3},
            "level": {"default": "low", "enum": ["low", "high"], "format": "shop.level", "type": "string"},
            "mail": {"format": "character varying", "type": "string", "maxLength": 200},
            "tags": {"format": "text[]", "items": {"type": "string"}, "type": "array"},
            "maker": {"description": "Note:\nThis is a Foreign Key to `makers.id`.<fk table='makers' column='id'/>",
                "format": "int32", "type": "integer"},
            "data": {"format": "jsonb"},
        }})
    );
}

#[test]
fn what_the_caller_may_not_touch_is_left_out_unless_everything_is_shown() {
    assert_eq!(swagger()["paths"].get("/secrets"), None);
    assert_eq!(swagger().get("securityDefinitions"), None);
    let all = options(Standard::Swagger, true).describe(&catalogue());
    assert_ne!(all["paths"].get("/secrets"), None);
    assert_eq!(all["security"], json!([{"JWT": []}]));
}

#[test]
fn functions_tell_their_arguments_in_both_ways_of_calling() {
    let document = swagger();
    let path = &document["paths"]["/rpc/total"];
    assert_eq!(path["get"]["tags"], json!(["(rpc) total"]));
    assert_eq!(
        path["get"]["parameters"],
        json!([
            {"format": "level", "in": "query", "name": "level", "required": true, "type": "string"},
            {"format": "int32", "in": "query", "name": "most", "required": false, "type": "integer"},
            {"format": "text[]", "in": "query", "name": "list", "required": false, "type": "string"},
            {"format": "jsonb", "in": "query", "name": "extra", "required": false, "type": "string"},
        ])
    );
    let schema = &path["post"]["parameters"][0]["schema"];
    assert_eq!(
        (&schema["required"], &schema["description"]),
        (&json!(["level"]), &json!("Sums up\n\nAll of them."))
    );
    assert_eq!(
        schema["properties"]["list"],
        json!({"format": "text[]", "items": {"type": "string"}, "type": "array"})
    );
    assert_eq!(
        document["paths"]["/rpc/all_of"]["get"]["parameters"][0],
        json!({"collectionFormat": "multi", "in": "query", "items": {"format": "text", "type": "string"},
            "name": "names", "required": true, "type": "array"})
    );
    assert_eq!(document["paths"]["/rpc/clear"].get("get"), None);
}

#[test]
fn functions_whose_arguments_nobody_can_name_are_left_out() {
    let document = swagger();
    let clear = document["paths"]["/rpc/clear"]["post"].to_string();
    assert!(!clear.contains("\"\""), "{clear}");
    assert_eq!(document["paths"].get("/rpc/by_number"), None);
    assert_ne!(document["paths"].get("/rpc/by_body"), None);
}

#[test]
fn three_knows_rows_new_rows_and_changes() {
    let document = options(Standard::Three, false).describe(&catalogue());
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["servers"],
        json!([{"url": "https://example.com:443/api"}])
    );
    let schemas = &document["components"]["schemas"];
    assert_eq!(
        schemas["goods"]["required"].as_array().map(Vec::len),
        Some(7),
        "every column is there when a row is read"
    );
    assert_eq!(
        schemas["goods"]["properties"]["tags"]["type"],
        json!(["array", "null"])
    );
    assert_eq!(
        schemas["goods.new"].get("required"),
        None,
        "the rest has defaults"
    );
    assert_eq!(
        schemas["goods.new"]["properties"].get("id"),
        None,
        "an identity is never written"
    );
    assert_eq!(schemas.get("goods_view.new"), None);
    let answer = |path: &str| {
        document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"].clone()
    };
    assert_eq!(
        answer("/rpc/all_of"),
        json!({"type": "array", "items": {"$ref": "#/components/schemas/goods"}})
    );
    assert_eq!(answer("/rpc/clear"), Value::Null);
    assert_eq!(
        answer("/rpc/total"),
        json!({"type": "integer", "format": "int64"})
    );
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(target)) = object.get("$ref") {
                    let pointer = target.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{target}");
                }
                object.values().for_each(|value| walk(document, value));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    for standard in [Standard::Swagger, Standard::Three] {
        let document = options(standard, true).describe(&catalogue());
        walk(&document, &document);
    }
}

#[test]
fn the_standard_is_chosen_by_accept() {
    let chosen = |text: &str| Standard::negotiate(&MediaType::accepted(Some(text)));
    for text in [
        "",
        "*/*",
        "application/json",
        "application/openapi+json",
        "text/html, */*;q=0.1",
    ] {
        assert_eq!(chosen(text), Some(Standard::Swagger), "{text}");
    }
    for text in [
        "application/openapi+json;version=3.1",
        "application/vnd.oai.openapi+json",
        "application/vnd.oai.openapi+json; version=\"3.1\"",
    ] {
        assert_eq!(chosen(text), Some(Standard::Three), "{text}");
    }
    for text in ["text/csv", "application/openapi+json;version=4"] {
        assert_eq!(chosen(text), None, "{text}");
    }
}
