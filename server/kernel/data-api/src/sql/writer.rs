//! Collects SQL text and parameters. The only place that quotes.

use uuid::Uuid;

use super::{Param, Statement};
use crate::schema_cache::QualifiedName;

/// The rows of a write or call, where a common table expression holds them.
pub(super) const SOURCE: &str = "tenon_source";

/// Longest part of a table's name in an alias; PostgreSQL cuts names at 63 bytes, and a cut number is no number.
const ALIAS_STEM: usize = 48;

pub(super) struct Writer {
    text: String,
    params: Vec<Param>,
    tenant: Option<Uuid>,
    tenant_slot: Option<usize>,
    aliases: usize,
    nests_as_json: bool,
    scan_order: bool,
}

impl Writer {
    pub(super) fn new(tenant: Option<Uuid>) -> Self {
        Self {
            text: String::with_capacity(512),
            params: Vec::new(),
            tenant,
            tenant_slot: None,
            aliases: 0,
            nests_as_json: false,
            scan_order: false,
        }
    }

    /// Rows inside rows are written as JSON, because what encloses them is not.
    pub(super) fn nest_as_json(&mut self) {
        self.nests_as_json = true;
    }

    pub(super) fn nests_as_json(&self) -> bool {
        self.nests_as_json
    }

    /// Rows that nobody orders come as their table is scanned.
    pub(super) fn keep_scan_order(&mut self) {
        self.scan_order = true;
    }

    pub(super) fn keeps_scan_order(&self) -> bool {
        self.scan_order
    }

    pub(super) fn finish(self) -> Statement {
        Statement {
            sql: self.text,
            params: self.params,
            names_tenant: self.tenant_slot.is_some(),
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// `"name"`
    pub(super) fn ident(&mut self, name: &str) {
        self.text.push('"');
        for character in name.chars() {
            match character {
                '"' => self.text.push_str("\"\""),
                // PostgreSQL has no NUL in names; with it the rest of the statement would be cut off.
                '\0' => {}
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }

    /// `"schema"."name"`
    pub(super) fn qualified(&mut self, name: &QualifiedName) {
        if !name.schema.is_empty() {
            self.ident(&name.schema);
            self.push(".");
        }
        self.ident(&name.name);
    }

    /// `"alias"."column"`
    pub(super) fn member(&mut self, alias: &str, column: &str) {
        self.ident(alias);
        self.push(".");
        self.ident(column);
    }

    /// `"alias".*`
    pub(super) fn all_of(&mut self, alias: &str) {
        self.ident(alias);
        self.push(".*");
    }

    /// `'name'`, for names from the catalogue only.
    pub(super) fn literal(&mut self, name: &str) {
        let escaped = name.contains('\\');
        self.push(if escaped { "E'" } else { "'" });
        for character in name.chars().filter(|character| *character != '\0') {
            match character {
                '\'' => self.push("''"),
                '\\' => self.push("\\\\"),
                other => self.text.push(other),
            }
        }
        self.push("'");
    }

    pub(super) fn number(&mut self, number: u64) {
        self.text.push_str(&number.to_string());
    }

    /// `$n` for a new parameter.
    pub(super) fn param(&mut self, value: Param) {
        self.params.push(value);
        let slot = self.params.len();
        self.slot(slot);
    }

    /// A parameter that the text pushed already names.
    pub(super) fn bind(&mut self, value: Param) {
        self.params.push(value);
    }

    pub(super) fn text_param(&mut self, value: &str) {
        self.param(Param::text(value));
    }

    fn slot(&mut self, slot: usize) {
        self.text.push('$');
        self.text.push_str(&slot.to_string());
    }

    /// `$n::uuid` for the organisation; one parameter however often it is needed.
    pub(super) fn tenant_param(&mut self) {
        match (self.tenant_slot, self.tenant) {
            (Some(slot), _) => self.slot(slot),
            (None, Some(tenant)) => {
                self.params.push(Param::text(tenant.to_string()));
                let slot = self.params.len();
                self.tenant_slot = Some(slot);
                self.slot(slot);
            }
            // The planner asks for it only with an organisation; without one nothing may match.
            (None, None) => self.push("null"),
        }
        self.push("::uuid");
    }

    /// A name for a table inside the statement that no other has.
    pub(super) fn alias(&mut self, table: &str, root: &str) -> String {
        let mut end = table.len().min(ALIAS_STEM);
        while !table.is_char_boundary(end) {
            end -= 1;
        }
        loop {
            self.aliases += 1;
            let alias = format!("{}_{}", &table[..end], self.aliases);
            if alias != root {
                return alias;
            }
        }
    }
}

/// A schema and those after it as a value of `search_path`.
pub(crate) fn search_path(schema: &str, further: &[String]) -> String {
    let mut writer = Writer::new(None);
    writer.ident(schema);
    for name in further.iter().filter(|name| *name != schema) {
        writer.push(", ");
        writer.ident(name);
    }
    writer.text
}
