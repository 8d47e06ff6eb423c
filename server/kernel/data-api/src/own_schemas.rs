//! Schemas of the operator's own beside those that apps show: which may be named, and what in them is open to everybody.

use std::collections::BTreeSet;

use tenon_sdk::config::Rest;
use tenon_sdk::{Error, Kernel, Module, Result, SystemTx};

/// Relations in the schemas `$1` that a request's role may touch although no policy looks at its rows.
const OPEN: &str = include_str!("own_schemas.sql");

/// What the data API shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exposed {
    /// Schemas that apps show; the first is the default.
    pub(crate) of_apps: Vec<String>,
    /// Those of the operator's own.
    pub(crate) own: Vec<String>,
}

impl Exposed {
    pub(crate) fn all(&self) -> Vec<String> {
        self.of_apps.iter().chain(&self.own).cloned().collect()
    }

    /// All, the default one first.
    ///
    /// Errors: `config.invalid` if the default is none of them.
    pub(crate) fn beginning_with(&self, default: &str) -> Result<Vec<String>> {
        let mut all = self.all();
        if default.is_empty() {
            return Ok(all);
        }
        let place = all.iter().position(|schema| schema == default).ok_or_else(|| {
            Error::invalid(
                "config.invalid",
                format!("The setting rest.default_schema names \"{default}\", which is not shown."),
            )
            .hint("Name one of rest.schemas.")
        })?;
        all[..=place].rotate_right(1);
        Ok(all)
    }
}

/// Which schemas are shown; an error if the settings name one that must not be.
pub(crate) fn exposed(modules: &[Module], settings: &Rest) -> Result<Exposed> {
    let mut shown = Exposed {
        of_apps: Vec::new(),
        own: Vec::new(),
    };
    for schema in modules.iter().flat_map(|module| &module.api_schemas) {
        if !shown.of_apps.iter().any(|known| known == schema) {
            shown.of_apps.push((*schema).to_owned());
        }
    }
    for schema in &settings.schemas {
        if shown.of_apps.contains(schema) || shown.own.contains(schema) {
            continue;
        }
        check("rest.schemas", schema, modules)?;
        shown.own.push(schema.clone());
    }
    for schema in &settings.extra_search_path {
        check("rest.extra_search_path", schema, modules)?;
    }
    Ok(shown)
}

fn check(setting: &str, schema: &str, modules: &[Module]) -> Result<()> {
    let of_tenon = schema == "kernel" || modules.iter().any(|module| module.schema == schema);
    let of_postgres = schema == "information_schema" || schema.starts_with("pg_");
    if schema.is_empty() || of_tenon || of_postgres {
        return Err(Error::invalid(
            "config.invalid",
            format!("The setting {setting} must not contain \"{schema}\"."),
        )
        .details("What belongs to Tenon or to PostgreSQL is not shown in this way.")
        .hint("Name schemas of your own, or leave the default."));
    }
    Ok(())
}

/// Tells the operator once of every relation that is open.
pub(crate) struct Watch {
    schemas: Vec<String>,
    told: BTreeSet<String>,
}

impl Watch {
    pub(crate) fn new(schemas: Vec<String>) -> Self {
        Self {
            schemas,
            told: BTreeSet::new(),
        }
    }

    pub(crate) async fn look(&mut self, kernel: &Kernel) -> Result<()> {
        let tx = SystemTx::begin(kernel.db(), "open relations").await?;
        let rows = tx.query(OPEN, &[&self.schemas]).await?;
        tx.rollback().await?;
        let mut open = BTreeSet::new();
        for row in rows {
            let (relation, why, roles): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if !self.told.contains(&relation) {
                tracing::warn!(%relation, %roles, "open through the data API: {why}");
            }
            open.insert(relation);
        }
        self.told = open;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(schemas: &[&str]) -> Rest {
        Rest {
            schemas: schemas.iter().map(|&schema| schema.to_owned()).collect(),
            ..tenon_sdk::config::Config::defaults().rest
        }
    }

    fn modules() -> Vec<Module> {
        vec![
            Module::new("auth", "Sign-in").tables("auth", &[]),
            Module::app("goods", "Goods").api_schema("goods"),
        ]
    }

    #[test]
    fn the_operators_schemas_come_after_those_of_apps_and_once() {
        let shown = exposed(&modules(), &settings(&["goods", "club", "public", "club"]));
        let shown = shown.map(|shown| shown.all());
        assert_eq!(
            shown.ok(),
            Some(["goods", "club", "public"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn what_is_tenons_or_postgresqls_is_refused_by_name() {
        for schema in [
            "kernel",
            "auth",
            "pg_catalog",
            "pg_toast",
            "information_schema",
            "",
        ] {
            let refused = exposed(&modules(), &settings(&["public", schema])).err();
            let refused = refused.expect(schema);
            assert_eq!(refused.code, "config.invalid", "{schema}");
            assert!(refused.message.contains(&format!("\"{schema}\"")), "{schema}");
            let further = Rest {
                extra_search_path: vec![schema.to_owned()],
                ..settings(&["public"])
            };
            assert!(exposed(&modules(), &further).is_err(), "{schema}");
        }
    }
}
