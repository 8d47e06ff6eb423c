//! Rotation beside running servers. Each step leaves the database good, so that it may be broken off anywhere and begun again.

use tenon_sdk::{
    Error, OrgId, Result, SystemTx,
    db::Db,
    secrets::{Place, Sealed, SealedColumn},
};

use crate::{
    columns::Sql,
    keeper::{Keeper, wrapped},
    seal::{self, DataKey},
};

/// Rows of one round.
const BATCH: i64 = 100;

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where the master keys are.
    pub home: String,
    /// The newest master key, which wraps.
    pub newest: i32,
    /// Data keys.
    pub data_keys: i64,
    /// Those of them that are not wrapped by the newest master key.
    pub behind: i64,
}

/// What a rotation tells while it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is a new master key.
    Master {
        /// Its version.
        version: i32,
    },
    /// Data keys are wrapped anew.
    Wrapped {
        /// So many by now.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// Values of a column are sealed anew.
    Sealed {
        /// Which column.
        column: String,
        /// So many by now.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// Versions of data keys that sealed nothing any more are gone.
    Dropped {
        /// So many.
        keys: u64,
    },
}

/// A rotation of the keys in one database.
pub struct Rotation {
    keeper: Keeper,
    db: Db,
    columns: Vec<SealedColumn>,
}

impl Rotation {
    /// For these columns, all that modules have declared.
    pub fn new(keeper: Keeper, db: Db, columns: Vec<SealedColumn>) -> Self {
        Self { keeper, db, columns }
    }

    /// How things stand.
    pub async fn status(&self) -> Result<Status> {
        let master = &self.keeper.masters().current;
        let newest = master.newest().await?;
        let (data_keys, behind) = self.count(newest).await?;
        Ok(Status {
            home: master.home(),
            newest,
            data_keys,
            behind,
        })
    }

    async fn count(&self, newest: i32) -> Result<(i64, i64)> {
        let keeper = self.keeper.masters().current.keeper();
        let tx = SystemTx::begin(&self.db, "secrets: status").await?;
        let row = tx
            .query_one(
                "select count(*), count(*) filter (where (keeper, master) <> ($1, $2)) from secrets.data_keys",
                &[&keeper, &newest],
            )
            .await?;
        tx.commit().await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// Makes a new master key, unless an earlier rotation was broken off before all data keys were under its own; then wraps them anew.
    ///
    /// Errors: `secrets.master_key_elsewhere`, `secrets.no_master_key`, `secrets.vault_away`.
    pub async fn rewrap(&self, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<()> {
        let master = &self.keeper.masters().current;
        let status = self.status().await?;
        let newest = if status.behind > 0 {
            status.newest
        } else {
            let version = master.renew().await?;
            tell(Progress::Master { version });
            version
        };
        self.keeper.check().await?;
        let (_, behind) = self.count(newest).await?;
        let total = u64::try_from(behind).unwrap_or(0);
        let mut done = 0;
        tell(Progress::Wrapped { done, total });
        loop {
            let tx = SystemTx::begin(&self.db, "secrets: rewrap").await?;
            let rows = tx
                .query(
                    include_str!("sql/behind.sql"),
                    &[&master.keeper(), &newest, &BATCH],
                )
                .await?;
            tx.commit().await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                self.rewrap_one(row).await?;
                done += 1;
            }
            tell(Progress::Wrapped {
                done,
                total: total.max(done),
            });
        }
    }

    async fn rewrap_one(&self, row: &tokio_postgres::Row) -> Result<()> {
        let (version, old): (i32, _) = (row.try_get(0)?, wrapped(row)?);
        let (org, purpose): (Option<OrgId>, String) = (row.try_get(4)?, row.try_get(5)?);
        let masters = self.keeper.masters();
        let scope = seal::scope(org, &purpose);
        let key = masters.unwrap(&scope, &old).await?;
        let new = masters.current.wrap(&scope, &key).await?;
        // Nothing is given up before what replaces it has been seen to open.
        if masters.unwrap(&scope, &new).await? != key {
            return Err(Error::internal(
                "a data key that was wrapped anew does not come back",
            ));
        }
        let tx = SystemTx::begin(&self.db, "secrets: rewrap").await?;
        tx.execute(
            include_str!("sql/rewrap.sql"),
            &[
                &org,
                &purpose,
                &version,
                &new.keeper,
                &new.master,
                &new.bytes,
                &old.bytes,
            ],
        )
        .await?;
        tx.commit().await
    }

    /// Makes a new version of every data key that seals a declared column and seals all its values with it; then drops the versions
    /// that seal nothing any more. One that was broken off begins with yet another version.
    pub async fn reseal(&self, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<()> {
        let mut fresh: Vec<(Option<OrgId>, &'static str, i32)> = Vec::new();
        for purpose in purposes(&self.columns) {
            for (org, newest) in self.scopes(purpose).await? {
                let key = self.keeper.make((org, purpose), newest + 1).await?;
                fresh.push((org, purpose, key.version()));
                for column in self.columns.iter().filter(|column| column.purpose == purpose) {
                    self.reseal_column(column, org, &key, tell).await?;
                }
            }
        }
        let mut keys = 0;
        for (org, purpose, version) in fresh {
            keys += self.drop_unused(org, purpose, version).await?;
        }
        tell(Progress::Dropped { keys });
        Ok(())
    }

    async fn scopes(&self, purpose: &'static str) -> Result<Vec<(Option<OrgId>, i32)>> {
        let tx = SystemTx::begin(&self.db, "secrets: reseal").await?;
        let rows = tx
            .query(
                "select org_id, max(version) from secrets.data_keys where purpose = $1 group by 1 order by 1",
                &[&purpose],
            )
            .await?;
        tx.commit().await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    async fn reseal_column(
        &self,
        column: &SealedColumn,
        org: Option<OrgId>,
        key: &DataKey,
        tell: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<()> {
        let name = format!("{}.{}", column.table, column.column);
        let count = column.sql("select count(*) from {table} where {org} is not distinct from $1 and {old}");
        let batch = column.sql(
            "select {row}, {column} from {table} where {org} is not distinct from $1 and {old} limit 100",
        );
        let mark = seal::mark(key.version());
        let tx = SystemTx::begin(&self.db, "secrets: reseal").await?;
        let row = tx.query_one(&count, &[&org, &mark]).await?;
        tx.commit().await?;
        let total = u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0);
        let mut done = 0;
        loop {
            let tx = SystemTx::begin(&self.db, "secrets: reseal").await?;
            let rows = tx.query(&batch, &[&org, &mark]).await?;
            tx.commit().await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                self.reseal_one(column, &name, org, row).await?;
                done += 1;
            }
            tell(Progress::Sealed {
                column: name.clone(),
                done,
                total: total.max(done),
            });
        }
    }

    async fn reseal_one(
        &self,
        column: &SealedColumn,
        name: &str,
        org: Option<OrgId>,
        row: &tokio_postgres::Row,
    ) -> Result<()> {
        use tenon_sdk::secrets::Secrets;
        let (id, old): (String, Sealed) = (row.try_get(0)?, row.try_get(1)?);
        let place = Place {
            org,
            purpose: column.purpose,
            column: name,
            row: &id,
        };
        let plain = self.keeper.open(&place, &old).await?;
        let scope = self.keeper.newest(org, column.purpose).await?;
        let new = scope.seal(self.keeper.env(), &place, plain.expose())?;
        let tx = SystemTx::begin(&self.db, "secrets: reseal").await?;
        // Only what nobody has changed meanwhile.
        tx.execute(
            &column.sql("update {table} set {column} = $2 where {row} = $1 and {column} = $3"),
            &[&id, &new, &old],
        )
        .await?;
        tx.commit().await
    }

    /// Drops the versions before this one that no value of any declared column is sealed with.
    async fn drop_unused(&self, org: Option<OrgId>, purpose: &'static str, before: i32) -> Result<u64> {
        let tx = SystemTx::begin(&self.db, "secrets: drop keys").await?;
        for column in self.columns.iter().filter(|column| column.purpose == purpose) {
            let old =
                column.sql("select 1 from {table} where {org} is not distinct from $1 and {old} limit 1");
            if !tx.query(&old, &[&org, &seal::mark(before)]).await?.is_empty() {
                return Ok(0);
            }
        }
        let dropped = tx
            .execute(
                "delete from secrets.data_keys where org_id is not distinct from $1 and purpose = $2 and version < $3",
                &[&org, &purpose, &before],
            )
            .await?;
        tx.commit().await?;
        Ok(dropped)
    }
}

fn purposes(columns: &[SealedColumn]) -> Vec<&'static str> {
    let mut purposes: Vec<_> = columns.iter().map(|column| column.purpose).collect();
    purposes.sort_unstable();
    purposes.dedup();
    purposes
}
