//! Rust: structs for serde. Texts stay texts (identifiers, dates, amounts of money have crates of their own that a
//! program may choose); `numeric` is a JSON number as it arrived.

use std::collections::HashSet;
use std::fmt::Write;

use super::Source;
use super::row::{Field, Presence, Shape, fields, row_of};
use crate::catalogue::{Catalogue, Kind, Relation, Routine, TypeId};

const HEAD: &str = "//! Rows, inserts, updates and calls of the data API. Generated; needs `serde` with `derive`, and `serde_json`.

#![allow(dead_code, clippy::all, clippy::pedantic)]

/// Distinguishes a key that is absent (`None`) from one that is null (`Some(None)`).
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}
";

const DERIVE: &str = "#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]";
const DERIVE_DEFAULT: &str =
    "#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]";
const DERIVE_ENUM: &str =
    "#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]";

pub(super) fn generate(source: Source<'_>) -> String {
    let mut writer = Writer {
        source,
        text: HEAD.to_owned(),
        depth: 0,
        taken: HashSet::new(),
        fields: HashSet::new(),
    };
    for catalogue in source.catalogues {
        writer.line("");
        writer.line(&format!("/// The schema `{}`.", catalogue.schema));
        writer.taken.clear();
        writer.block(&format!("pub mod {}", word(&catalogue.schema)), |writer| {
            writer.schema(catalogue);
        });
    }
    writer.text
}

struct Writer<'a> {
    source: Source<'a>,
    text: String,
    depth: usize,
    /// Names of types in the module.
    taken: HashSet<String>,
    /// Names of fields in the struct.
    fields: HashSet<String>,
}

impl<'a> Writer<'a> {
    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            let width = self.depth * 4;
            let _ = write!(self.text, "{:width$}{text}", "");
        }
        self.text.push('\n');
    }

    fn block(&mut self, head: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.fields.clear();
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
    }

    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format!("/// {line}").trim_end());
        }
    }

    /// A name for a type that no other type of the module has.
    fn name(&mut self, stem: &str) -> String {
        let mut name = stem.to_owned();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{stem}{number}");
        }
        name
    }

    fn schema(&mut self, catalogue: &'a Catalogue) {
        let mut types: Vec<_> = catalogue
            .types
            .values()
            .filter(|found| found.schema == catalogue.schema)
            .collect();
        types.sort_by_key(|found| &found.name);
        for found in types {
            let name = pascal(&found.name);
            match found.kind {
                Kind::Enum => self.enumeration(&name, found.values.as_deref().unwrap_or_default()),
                Kind::Composite => {
                    let name = self.name(&name);
                    self.line(DERIVE);
                    self.block(&format!("pub struct {name}"), |writer| {
                        for attribute in found.attributes.iter().flatten() {
                            let ty = format!("Option<{}>", writer.type_of(catalogue, attribute.type_id));
                            writer.member(&attribute.name, &ty, None);
                        }
                    });
                }
                _ => {}
            }
        }
        for relation in &catalogue.relations {
            self.relation(catalogue, relation);
        }
        for routine in &catalogue.functions {
            self.function(catalogue, routine);
        }
    }

    fn enumeration(&mut self, name: &str, values: &[String]) {
        let name = self.name(name);
        self.line(DERIVE_ENUM);
        self.block(&format!("pub enum {name}"), |writer| {
            let mut taken = HashSet::new();
            for value in values {
                let mut variant = pascal(value);
                while !taken.insert(variant.clone()) {
                    variant.push('_');
                }
                writer.line(&format!("#[serde(rename = {value:?})]"));
                writer.line(&format!("{variant},"));
            }
        });
    }

    fn relation(&mut self, catalogue: &'a Catalogue, relation: &'a Relation) {
        let stem = pascal(&relation.name);
        let mut shapes = vec![("Row", Shape::Row)];
        if relation.insertable {
            shapes.push(("Insert", Shape::Insert));
        }
        if relation.updatable {
            shapes.push(("Update", Shape::Update));
        }
        for (suffix, shape) in shapes {
            let name = self.name(&format!("{stem}{suffix}"));
            if let Some(comment) = &relation.comment {
                self.comment(comment);
            }
            let fields = fields(catalogue, relation, shape, self.source.cache);
            self.line(if shape == Shape::Update {
                DERIVE_DEFAULT
            } else {
                DERIVE
            });
            self.block(&format!("pub struct {name}"), |writer| {
                for field in &fields {
                    // What functions compute of a row is there only when it is asked for.
                    let is_column = relation.columns.iter().any(|column| column.name == field.name);
                    if is_column && field.presence != Presence::Never {
                        writer.field(catalogue, field, relation);
                    }
                }
            });
        }
    }

    fn field(&mut self, catalogue: &Catalogue, field: &Field<'_>, relation: &Relation) {
        let comment = relation
            .columns
            .iter()
            .find(|column| column.name == field.name)
            .and_then(|column| column.comment.as_deref());
        if let Some(comment) = comment {
            self.comment(comment);
        }
        let mut ty = if field.represented {
            "serde_json::Value".to_owned()
        } else {
            self.type_of(catalogue, field.type_id)
        };
        if field.nullable {
            ty = format!("Option<{ty}>");
        }
        if field.presence == Presence::Required {
            self.member(field.name, &ty, None);
            return;
        }
        let attribute = if field.nullable {
            "default, deserialize_with = \"super::present\", skip_serializing_if = \"Option::is_none\""
        } else {
            "default, skip_serializing_if = \"Option::is_none\""
        };
        self.member(field.name, &format!("Option<{ty}>"), Some(attribute));
    }

    fn member(&mut self, name: &str, ty: &str, attribute: Option<&str>) {
        let mut word = word(name);
        while !self.fields.insert(word.clone()) {
            word.push('_');
        }
        let renamed = (word.trim_start_matches("r#") != name).then(|| format!("rename = {name:?}"));
        let attributes: Vec<&str> = renamed.as_deref().into_iter().chain(attribute).collect();
        if !attributes.is_empty() {
            self.line(&format!("#[serde({})]", attributes.join(", ")));
        }
        self.line(&format!("pub {word}: {ty},"));
    }

    fn function(&mut self, catalogue: &'a Catalogue, routine: &'a Routine) {
        let stem = pascal(&routine.name);
        if routine.inputs().any(|argument| !argument.name.is_empty()) {
            let name = self.name(&format!("{stem}Args"));
            self.line(DERIVE);
            self.block(&format!("pub struct {name}"), |writer| {
                for argument in routine.inputs() {
                    let ty = writer.type_of(catalogue, argument.type_id);
                    if argument.required {
                        writer.member(&argument.name, &ty, None);
                    } else {
                        let attribute = "default, skip_serializing_if = \"Option::is_none\"";
                        writer.member(&argument.name, &format!("Option<{ty}>"), Some(attribute));
                    }
                }
            });
        }
        let outputs: Vec<_> = routine.outputs().collect();
        let row = if outputs.is_empty() {
            self.type_of(catalogue, routine.returns)
        } else {
            let name = self.name(&format!("{stem}Row"));
            self.line(DERIVE);
            self.block(&format!("pub struct {name}"), |writer| {
                for output in outputs {
                    let ty = format!("Option<{}>", writer.type_of(catalogue, output.type_id));
                    writer.member(&output.name, &ty, None);
                }
            });
            name
        };
        let name = self.name(&format!("{stem}Returns"));
        let ty = if routine.returns_set {
            format!("Vec<{row}>")
        } else {
            row
        };
        self.line(&format!("pub type {name} = {ty};"));
    }

    fn type_of(&self, catalogue: &Catalogue, id: TypeId) -> String {
        let Some(found) = catalogue.base_of(id) else {
            return "serde_json::Value".to_owned();
        };
        let generated = self
            .source
            .catalogues
            .iter()
            .any(|known| known.schema == found.schema);
        let path = |name: &str| {
            if found.schema == catalogue.schema {
                name.to_owned()
            } else {
                format!("super::{}::{name}", word(&found.schema))
            }
        };
        match found.kind {
            Kind::Array => {
                let element = found.element.map(|element| self.type_of(catalogue, element));
                format!("Vec<{}>", element.as_deref().unwrap_or("serde_json::Value"))
            }
            Kind::Enum | Kind::Composite if generated => path(&pascal(&found.name)),
            Kind::Enum => "String".to_owned(),
            Kind::Row => match row_of(catalogue, id) {
                Some(name) => format!("{}Row", pascal(name)),
                None => "serde_json::Value".to_owned(),
            },
            _ => base(&found.schema, &found.name).to_owned(),
        }
    }
}

fn base(schema: &str, name: &str) -> &'static str {
    match name {
        "bool" => "bool",
        "int2" => "i16",
        "int4" => "i32",
        "int8" => "i64",
        "oid" => "u32",
        "float4" => "f32",
        "float8" => "f64",
        "numeric" => "serde_json::Number",
        "void" => "()",
        "json" | "jsonb" | "record" => "serde_json::Value",
        pseudo if pseudo.starts_with("any") => "serde_json::Value",
        "citext" | "ltree" => "String",
        _ if schema == "pg_catalog" => "String",
        _ => "serde_json::Value",
    }
}

/// `order_labels` as `OrderLabels`; always an identifier.
fn pascal(name: &str) -> String {
    let mut result = String::new();
    let mut upper = true;
    for character in name.chars() {
        if !character.is_alphanumeric() {
            upper = true;
        } else if upper {
            result.extend(character.to_uppercase());
            upper = false;
        } else {
            result.push(character);
        }
    }
    if !result.starts_with(char::is_alphabetic) {
        result.insert(0, 'T');
    }
    if result == "Self" {
        result.push('_');
    }
    result
}

/// A name as a field or module; always an identifier.
fn word(name: &str) -> String {
    let mut result: String = name
        .chars()
        .map(|character| {
            if character.is_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    if !result.starts_with(|first: char| first.is_alphabetic() || first == '_')
        || result.chars().all(|character| character == '_')
    {
        result.insert_str(0, "f_");
    }
    match result.as_str() {
        "self" | "Self" | "super" | "crate" => result + "_",
        keyword if KEYWORDS.contains(&keyword) => format!("r#{keyword}"),
        _ => result,
    }
}

const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while",
];
