//! Keys and seals against a real database.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod adopted;
mod keys;
mod rotation;
mod transit;
mod vault;

use std::path::Path;

use tenon_sdk::{
    Module, OrgId, SystemTx,
    config::Config,
    db::Db,
    env::Env,
    migrations,
    secrets::{Place, SealedColumn},
};
use tenon_secrets::{Keeper, Rotation};
use tenon_testkit::{TestDatabase, with_services};
use uuid::Uuid;

/// A table with sealed values, of organisations and of none.
pub(crate) const COLUMN: SealedColumn = SealedColumn {
    table: "vaults.values",
    column: "sealed",
    row: "id::text",
    org: "org_id",
    purpose: "test.values",
    before: None,
};

fn module() -> Module {
    Module::new("vaults", "Vaults").tables("vaults", migrations!["../" => "values"])
}

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) env: Env,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self {
            database: TestDatabase::create(&with_services(&[module()])).await,
            folder: tempfile::tempdir().unwrap(),
            env: Env::real(),
        }
    }

    pub(crate) fn db(&self) -> Db {
        Db::new(self.database.options()).unwrap()
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("master.keys")
    }

    /// A server's keeper with its own memory, and its keys in the file.
    pub(crate) async fn keeper(&self) -> Keeper {
        let keeper = keeper(&self.db(), &self.env, &self.file());
        keeper.check().await.unwrap();
        keeper
    }

    pub(crate) fn rotation(&self, keeper: &Keeper) -> Rotation {
        Rotation::new(keeper.clone(), self.db(), vec![COLUMN])
    }

    pub(crate) async fn organization(&self) -> OrgId {
        let id = self.env.new_id();
        let admin = self.database.admin().await;
        admin
            .execute(
                "insert into tenancy.organizations (id, slug, name) values ($1::uuid, 'o' || replace($1::uuid::text, '-', ''), 'O')",
                &[&id],
            )
            .await
            .unwrap();
        OrgId(id)
    }

    pub(crate) async fn count(&self, what: &str) -> i64 {
        let admin = self.database.admin().await;
        admin
            .query_one(&format!("select count(*) from {what}"), &[])
            .await
            .unwrap()
            .get(0)
    }

    /// A row with a sealed value.
    pub(crate) async fn put(&self, keeper: &Keeper, org: Option<OrgId>, plain: &str) -> Uuid {
        use tenon_sdk::secrets::Secrets;
        let id = self.env.new_id();
        let row = id.to_string();
        let sealed = keeper.seal(&place(org, &row), plain.as_bytes()).await.unwrap();
        let tx = SystemTx::begin(&self.db(), "test").await.unwrap();
        tx.execute(
            "insert into vaults.values (id, org_id, sealed) values ($1, $2, $3)",
            &[&id, &org, &sealed],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// What a row's value is to this keeper.
    pub(crate) async fn get(&self, keeper: &Keeper, id: Uuid) -> tenon_sdk::Result<String> {
        use tenon_sdk::secrets::Secrets;
        let tx = SystemTx::begin(&self.db(), "test").await?;
        let row = tx
            .query_one("select org_id, sealed from vaults.values where id = $1", &[&id])
            .await?;
        tx.commit().await?;
        let text = id.to_string();
        let plain = keeper.open(&place(row.get(0), &text), &row.get(1)).await?;
        Ok(plain.text()?.to_owned())
    }
}

pub(crate) fn place(org: Option<OrgId>, row: &str) -> Place<'_> {
    Place {
        org,
        purpose: COLUMN.purpose,
        column: "vaults.values.sealed",
        row,
    }
}

pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::defaults();
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
    change(&mut config);
    config
}

pub(crate) fn keeper(db: &Db, env: &Env, file: &Path) -> Keeper {
    let config = config(|config| file.clone_into(&mut config.secrets.master_file));
    Keeper::new(db.clone(), env.clone(), &config).unwrap()
}
