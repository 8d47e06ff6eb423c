//! TypeScript: the generic of `createClient` and the helper types that go with it.

use std::fmt::Write;

use super::Source;
use super::row::{Field, Presence, Shape, fields, relationships, row_argument, row_of};
use crate::catalogue::{Argument, Catalogue, Kind, Relation, Routine, TypeId};
use crate::schema_cache::Cardinality;

const JSON: &str = "export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]
";

/// The newest version that clients know by name.
const CLIENT_VERSION: &str = "14";

const HELPERS: &str = r#"
type Schemas = Omit<Database, "__InternalSupabase">

type InSchema = { schema: keyof Schemas }

/** The schema that is meant: the one named, or the default. */
type Chosen<Place> = Place extends InSchema ? Schemas[Place["schema"]] : Schemas[DefaultName]

/** The names that may follow when a schema was named. */
type NameIn<Place, Part extends PropertyKey> = Place extends InSchema
  ? keyof Schemas[Place["schema"]][Part & keyof Schemas[Place["schema"]]]
  : never

/** What stands under a name in a part of the schema that is meant. */
type Find<Place, Name, Part extends PropertyKey> = Chosen<Place> extends { [P in Part]: infer Found }
  ? (Place extends InSchema ? Name : Place) extends infer Key
    ? Key extends keyof Found
      ? Found[Key]
      : never
    : never
  : never

type DefaultKeys<Part extends keyof Schemas[DefaultName]> = keyof Schemas[DefaultName][Part]

/** A row as it is read: `Tables<"orders">`, or `Tables<{ schema: "shop" }, "orders">`. */
export type Tables<
  Place extends DefaultKeys<"Tables"> | DefaultKeys<"Views"> | InSchema,
  Name extends NameIn<Place, "Tables"> | NameIn<Place, "Views"> = never,
> = (Find<Place, Name, "Tables"> | Find<Place, Name, "Views">) extends { Row: infer Row } ? Row : never

/** A row as it is inserted. */
export type TablesInsert<
  Place extends DefaultKeys<"Tables"> | InSchema,
  Name extends NameIn<Place, "Tables"> = never,
> = Find<Place, Name, "Tables"> extends { Insert: infer Insert } ? Insert : never

/** What of a row is changed. */
export type TablesUpdate<
  Place extends DefaultKeys<"Tables"> | InSchema,
  Name extends NameIn<Place, "Tables"> = never,
> = Find<Place, Name, "Tables"> extends { Update: infer Update } ? Update : never

/** The words of an enum. */
export type Enums<
  Place extends DefaultKeys<"Enums"> | InSchema,
  Name extends NameIn<Place, "Enums"> = never,
> = Find<Place, Name, "Enums">

/** A value of a composite type. */
export type CompositeTypes<
  Place extends DefaultKeys<"CompositeTypes"> | InSchema,
  Name extends NameIn<Place, "CompositeTypes"> = never,
> = Find<Place, Name, "CompositeTypes">
"#;

pub(super) fn generate(source: Source<'_>) -> String {
    let mut writer = Writer {
        source,
        text: String::new(),
        depth: 0,
    };
    writer.text.push_str(JSON);
    writer.line("");
    writer.block("export type Database =", "{", "}", |writer| {
        writer.line("// Which features the client may count on.");
        writer.block("__InternalSupabase:", "{", "}", |writer| {
            writer.line(&format!("PostgrestVersion: {CLIENT_VERSION:?}"));
        });
        for catalogue in source.catalogues {
            let name = format!("{}:", key(&catalogue.schema));
            writer.block(&name, "{", "}", |writer| writer.schema(catalogue));
        }
    });
    let default = source
        .catalogues
        .iter()
        .find(|catalogue| catalogue.schema == "public")
        .or_else(|| source.catalogues.first());
    if let Some(default) = default {
        writer.line("");
        writer.line(&format!("type DefaultName = {}", quoted(&default.schema)));
        writer.text.push_str(HELPERS);
    }
    writer.line("");
    writer.constants();
    writer.text
}

struct Writer<'a> {
    source: Source<'a>,
    text: String,
    depth: usize,
}

impl<'a> Writer<'a> {
    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            let width = self.depth * 2;
            let _ = write!(self.text, "{:width$}{text}", "");
        }
        self.text.push('\n');
    }

    fn block(&mut self, head: &str, open: &str, close: &str, inside: impl FnOnce(&mut Self)) {
        self.line(format!("{head} {open}").trim_start());
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line(close);
    }

    /// A group that says so when it is empty.
    fn group<T>(&mut self, name: &str, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.block(&format!("{name}:"), "{", "}", |writer| {
            if items.is_empty() {
                writer.line("[_ in never]: never");
            }
            for item in items {
                each(writer, item);
            }
        });
    }

    fn schema(&mut self, catalogue: &'a Catalogue) {
        let of_kind = |view: bool| -> Vec<&Relation> {
            let relations = catalogue.relations.iter();
            relations.filter(|relation| relation.view == view).collect()
        };
        self.group("Tables", &of_kind(false), |writer, relation| {
            writer.relation(catalogue, relation);
        });
        self.group("Views", &of_kind(true), |writer, relation| {
            writer.relation(catalogue, relation);
        });
        let mut functions: Vec<Vec<&Routine>> = Vec::new();
        for routine in &catalogue.functions {
            match functions.last_mut() {
                Some(overloads) if overloads[0].name == routine.name => overloads.push(routine),
                _ => functions.push(vec![routine]),
            }
        }
        self.group("Functions", &functions, |writer, overloads| {
            writer.function(catalogue, overloads);
        });
        self.group("Enums", &enums(catalogue), |writer, (name, values)| {
            writer.line(&format!("{}: {}", key(name), union(values)));
        });
        let mut composites: Vec<_> = catalogue
            .types
            .values()
            .filter(|found| found.kind == Kind::Composite && found.schema == catalogue.schema)
            .collect();
        composites.sort_by_key(|found| &found.name);
        self.group("CompositeTypes", &composites, |writer, found| {
            writer.block(&format!("{}:", key(&found.name)), "{", "}", |writer| {
                for attribute in found.attributes.iter().flatten() {
                    let ty = writer.type_of(catalogue, attribute.type_id);
                    writer.line(&format!("{}: {ty} | null", key(&attribute.name)));
                }
            });
        });
    }

    fn relation(&mut self, catalogue: &'a Catalogue, relation: &'a Relation) {
        self.block(&format!("{}:", key(&relation.name)), "{", "}", |writer| {
            writer.shape(catalogue, relation, "Row", Shape::Row);
            if !relation.view || relation.insertable {
                writer.shape(catalogue, relation, "Insert", Shape::Insert);
            }
            if !relation.view || relation.updatable {
                writer.shape(catalogue, relation, "Update", Shape::Update);
            }
            let found = relationships(catalogue, relation, writer.source.cache);
            if found.is_empty() {
                writer.line("Relationships: []");
                return;
            }
            writer.block("Relationships:", "[", "]", |writer| {
                for (relationship, pairs) in found {
                    let near: Vec<&str> = pairs.iter().map(|(near, _)| *near).collect();
                    let far: Vec<&str> = pairs.iter().map(|(_, far)| *far).collect();
                    let one = relationship.cardinality == Cardinality::OneToOne;
                    writer.block("", "{", "},", |writer| {
                        writer.line(&format!("foreignKeyName: {}", quoted(&relationship.constraint)));
                        writer.line(&format!("columns: {}", list(&near)));
                        writer.line(&format!("isOneToOne: {one}"));
                        let target = quoted(&relationship.foreign_table.name);
                        writer.line(&format!("referencedRelation: {target}"));
                        writer.line(&format!("referencedColumns: {}", list(&far)));
                    });
                }
            });
        });
    }

    fn shape(&mut self, catalogue: &'a Catalogue, relation: &'a Relation, name: &str, shape: Shape) {
        let fields = fields(catalogue, relation, shape, self.source.cache);
        self.block(&format!("{name}:"), "{", "}", |writer| {
            for field in &fields {
                writer.field(catalogue, field);
            }
        });
    }

    fn field(&mut self, catalogue: &Catalogue, field: &Field<'_>) {
        let name = key(field.name);
        if field.presence == Presence::Never {
            self.line(&format!("{name}?: never"));
            return;
        }
        let ty = if field.represented {
            "Json".to_owned()
        } else {
            self.type_of(catalogue, field.type_id)
        };
        let optional = if field.presence == Presence::Optional {
            "?"
        } else {
            ""
        };
        let null = if field.nullable { " | null" } else { "" };
        self.line(&format!("{name}{optional}: {ty}{null}"));
    }

    fn function(&mut self, catalogue: &'a Catalogue, overloads: &[&'a Routine]) {
        let name = key(&overloads[0].name);
        if let [only] = overloads {
            self.block(&format!("{name}:"), "{", "}", |writer| {
                writer.overload(catalogue, only);
            });
            return;
        }
        self.line(&format!("{name}:"));
        self.depth += 1;
        for routine in overloads {
            self.block("|", "{", "}", |writer| writer.overload(catalogue, routine));
        }
        self.depth -= 1;
    }

    fn overload(&mut self, catalogue: &'a Catalogue, routine: &'a Routine) {
        let arguments: Vec<&Argument> = routine.inputs().collect();
        if arguments.is_empty() {
            self.line("Args: never");
        } else {
            self.block("Args:", "{", "}", |writer| {
                for argument in arguments {
                    let optional = if argument.required { "" } else { "?" };
                    let ty = writer.type_of(catalogue, argument.type_id);
                    writer.line(&format!("{}{optional}: {ty}", key(&argument.name)));
                }
            });
        }
        let rows = row_of(catalogue, routine.returns);
        let many = routine.returns_set && !(rows.is_some() && routine.one_row);
        let returns = self.returned(catalogue, routine);
        self.line(&format!("Returns: {returns}{}", if many { "[]" } else { "" }));
        if let Some(to) = rows {
            let from = row_argument(catalogue, routine).unwrap_or("*");
            self.block("SetofOptions:", "{", "}", |writer| {
                writer.line(&format!("from: {}", quoted(from)));
                writer.line(&format!("to: {}", quoted(to)));
                writer.line(&format!("isOneToOne: {}", routine.one_row));
                writer.line(&format!("isSetofReturn: {}", routine.returns_set));
            });
        }
    }

    /// One row of what a function returns; in parentheses if an array of it would be read wrongly.
    fn returned(&self, catalogue: &Catalogue, routine: &Routine) -> String {
        let sql = catalogue.type_of(routine.returns).map(|found| found.sql.as_str());
        if sql == Some("void") {
            return "undefined".to_owned();
        }
        let mut outputs = routine.outputs().peekable();
        if outputs.peek().is_some() {
            let fields: Vec<String> = outputs
                .map(|output| {
                    let ty = self.type_of(catalogue, output.type_id);
                    format!("{}: {ty}", key(&output.name))
                })
                .collect();
            return format!("{{ {} }}", fields.join("; "));
        }
        if sql == Some("record") {
            return "Record<string, unknown>".to_owned();
        }
        self.type_of(catalogue, routine.returns)
    }

    /// A type; always one that may be followed by `[]`.
    fn type_of(&self, catalogue: &Catalogue, id: TypeId) -> String {
        let Some(found) = catalogue.base_of(id) else {
            return "unknown".to_owned();
        };
        let here = |part: &str, name: &str| {
            format!(
                "Database[{}][{}][{}]",
                quoted(&found.schema),
                quoted(part),
                quoted(name)
            )
        };
        let schema = self
            .source
            .catalogues
            .iter()
            .find(|known| known.schema == found.schema);
        match found.kind {
            Kind::Array => {
                let element = found.element.map(|element| self.type_of(catalogue, element));
                format!("{}[]", element.as_deref().unwrap_or("unknown"))
            }
            Kind::Enum if schema.is_some() => here("Enums", &found.name),
            Kind::Enum => format!("({})", union(found.values.as_deref().unwrap_or_default())),
            Kind::Composite if schema.is_some() => here("CompositeTypes", &found.name),
            Kind::Composite => {
                let attributes: Vec<String> = found
                    .attributes
                    .iter()
                    .flatten()
                    .map(|attribute| {
                        let ty = self.type_of(catalogue, attribute.type_id);
                        format!("{}: {ty} | null", key(&attribute.name))
                    })
                    .collect();
                format!("{{ {} }}", attributes.join("; "))
            }
            Kind::Row => {
                let relation = schema.and_then(|schema| {
                    let name = found.relation.as_ref()?;
                    schema.relations.iter().find(|relation| relation.name == *name)
                });
                match relation {
                    Some(relation) if relation.view => here("Views", &relation.name) + "[\"Row\"]",
                    Some(relation) => here("Tables", &relation.name) + "[\"Row\"]",
                    None => "unknown".to_owned(),
                }
            }
            Kind::Base | Kind::Domain => base(&found.schema, &found.name).to_owned(),
        }
    }

    fn constants(&mut self) {
        self.block("export const Constants =", "{", "} as const", |writer| {
            for catalogue in writer.source.catalogues {
                writer.block(&format!("{}:", key(&catalogue.schema)), "{", "},", |writer| {
                    let enums = enums(catalogue);
                    if enums.is_empty() {
                        writer.line("Enums: {},");
                        return;
                    }
                    writer.block("Enums:", "{", "},", |writer| {
                        for (name, values) in enums {
                            writer.line(&format!("{}: {},", key(name), list(values)));
                        }
                    });
                });
            }
        });
    }
}

fn enums(catalogue: &Catalogue) -> Vec<(&String, &Vec<String>)> {
    let mut enums: Vec<_> = catalogue
        .types
        .values()
        .filter(|found| found.kind == Kind::Enum && found.schema == catalogue.schema)
        .filter_map(|found| Some((&found.name, found.values.as_ref()?)))
        .collect();
    enums.sort();
    enums
}

/// What a value of one of PostgreSQL's types is in JSON.
fn base(schema: &str, name: &str) -> &'static str {
    match name {
        "bool" => "boolean",
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "oid" => "number",
        "json" | "jsonb" => "Json",
        "record" => "Record<string, unknown>",
        "void" => "undefined",
        pseudo if pseudo.starts_with("any") => "unknown",
        "citext" | "ltree" | "vector" => "string",
        _ if schema == "pg_catalog" => "string",
        _ => "unknown",
    }
}

fn union(values: &[String]) -> String {
    if values.is_empty() {
        return "never".to_owned();
    }
    values
        .iter()
        .map(|value| quoted(value))
        .collect::<Vec<_>>()
        .join(" | ")
}

fn list(values: &[impl AsRef<str>]) -> String {
    let values: Vec<String> = values.iter().map(|value| quoted(value.as_ref())).collect();
    format!("[{}]", values.join(", "))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A name as a key: quoted unless it is a plain word.
fn key(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '$');
    let starts = name.starts_with(|first: char| plain(first) && !first.is_ascii_digit());
    if starts && name.chars().all(plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}
