//! The columns that modules have declared: what stands there unsealed is sealed when a server starts.

use tenon_sdk::{Error, OrgId, Result, SystemTx, secrets::SealedColumn};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use zeroize::Zeroizing;

use crate::keeper::Keeper;

impl Keeper {
    /// Makes the installation's keys for these columns, so that nobody has to with a transaction open, and seals what stands there as it is:
    /// what an earlier release left, and what SQL wrote.
    ///
    /// Errors: `secrets.no_master_key`, `secrets.vault_away`.
    pub async fn adopt(&self, columns: &[SealedColumn]) -> Result<()> {
        for column in columns {
            if column.org == "null::uuid" {
                self.newest(None, column.purpose).await?;
            }
            while self.adopt_some(column).await? {}
        }
        Ok(())
    }

    async fn adopt_some(&self, column: &SealedColumn) -> Result<bool> {
        if column.before.is_none() {
            return Ok(false);
        }
        let tx = SystemTx::begin(self.db(), "seal what is not").await?;
        let rows = tx
            .query(
                &column
                    .sql("select {row}, {org}, {before} from {table} where {before} is not null limit 100"),
                &[],
            )
            .await?;
        tx.commit().await?;
        for row in &rows {
            let (id, org): (String, Option<OrgId>) = (row.try_get(0)?, row.try_get(1)?);
            let stands = Stands::read(row)?;
            let sealed = column.seal(self, org, &id, stands.bytes()).await?;
            let tx = SystemTx::begin(self.db(), "seal what is not").await?;
            // Only if nobody has changed or sealed it meanwhile.
            tx.execute(
                &column.sql(
                    "update {table} set {before} = null, {column} = $2 where {row} = $1 and {before} = $3",
                ),
                &[&id, &sealed, stands.param()],
            )
            .await?;
            tx.commit().await?;
        }
        Ok(!rows.is_empty())
    }
}

/// A value as it stands unsealed, in the type of its column.
enum Stands {
    Text(Zeroizing<String>),
    Bytes(Zeroizing<Vec<u8>>),
}

impl Stands {
    fn read(row: &Row) -> Result<Self> {
        let column = row.columns().get(2).ok_or_else(|| Error::internal("no column"))?;
        Ok(if *column.type_() == Type::BYTEA {
            Self::Bytes(Zeroizing::new(row.try_get(2)?))
        } else {
            Self::Text(Zeroizing::new(row.try_get(2)?))
        })
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(text) => &**text,
            Self::Bytes(bytes) => &**bytes,
        }
    }
}

/// Statements about a column.
pub(crate) trait Sql {
    /// Names of the column put into a statement; they are the code's own, never somebody's input.
    fn sql(&self, template: &str) -> String;
}

impl Sql for SealedColumn {
    fn sql(&self, template: &str) -> String {
        template
            // Sealed, and not by the key whose mark is $2.
            .replace("{old}", "{column} is not null and substr({column}, 1, 5) <> $2")
            .replace("{table}", self.table)
            .replace("{column}", self.column)
            .replace("{row}", self.row)
            .replace("{org}", self.org)
            .replace("{before}", self.before.unwrap_or("null"))
    }
}
