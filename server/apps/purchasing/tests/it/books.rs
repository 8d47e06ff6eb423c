//! An organisation's books, filled the way the import engine fills them.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value as Json;
use tenon_sdk::import_template::{AcceptedBatch, AcceptedRows, ImportTemplate};
use tenon_sdk::imports::{ImportRow, Seen, SheetSpec, Value};
use tenon_sdk::{Ctx, Result, TenantTx};
use tenon_testkit::{TestOrg, TestServer};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// A server with this app, and one organisation.
pub struct Books {
    pub server: TestServer,
    pub org: TestOrg,
    pub template: Arc<dyn ImportTemplate>,
}

/// An order as a test writes it: number and value.
pub type Order<'a> = (&'a str, &'a str);
/// A survey as a test writes it: number, order and amount.
pub type Survey<'a> = (&'a str, &'a str, &'a str);

impl Books {
    pub async fn open() -> Self {
        let app = tenon_purchasing::app();
        let template = app.templates[0].clone();
        let server = TestServer::start(vec![app]).await;
        let org = server.organization("Ashford Build").await;
        Self {
            server,
            org,
            template,
        }
    }

    /// A transaction as the import job has it.
    pub async fn tx(&self) -> TenantTx {
        self.tx_of(&self.org).await
    }

    pub async fn tx_of(&self, org: &TestOrg) -> TenantTx {
        Ctx::for_job(self.server.kernel().clone(), org.id, Some(org.owner.id))
            .begin()
            .await
            .unwrap()
    }

    pub fn sheet(&self, key: &str) -> &'static SheetSpec {
        self.template.spec().sheet(key).unwrap()
    }

    /// Imports orders of supplier "Ironbark" in GBP and surveys of one day; gives the import and its summary.
    pub async fn import(&self, orders: &[Order<'_>], surveys: &[Survey<'_>]) -> (Uuid, Json) {
        self.try_import(orders, surveys).await.unwrap()
    }

    pub async fn try_import(&self, orders: &[Order<'_>], surveys: &[Survey<'_>]) -> Result<(Uuid, Json)> {
        let orders = orders.iter().map(|order| self.order(order)).collect();
        let surveys = surveys.iter().map(|survey| self.survey(survey)).collect();
        self.commit(orders, surveys).await
    }

    pub fn order(&self, (number, value): &Order<'_>) -> ImportRow {
        let cells = [
            ("number", *number),
            ("supplier", "Ironbark"),
            ("currency", "GBP"),
            ("value", *value),
        ];
        self.row("orders", &cells)
    }

    pub fn survey(&self, (number, order, amount): &Survey<'_>) -> ImportRow {
        let cells = [
            ("number", *number),
            ("order", *order),
            ("survey_date", "2026-02-28"),
            ("amount", *amount),
        ];
        self.row("surveys", &cells)
    }

    /// A row whose cells are given as canonical text.
    pub fn row(&self, sheet: &str, cells: &[(&str, &str)]) -> ImportRow {
        let sheet = self.sheet(sheet);
        let mut values = vec![Value::Empty; sheet.fields.len()];
        for (key, text) in cells.iter().filter(|(_, text)| !text.is_empty()) {
            values[sheet.index_of(key).unwrap()] = match *key {
                "value" | "amount" => Value::Decimal(text.parse().unwrap()),
                "start_date" | "due_date" | "survey_date" => Value::Date(text.parse().unwrap()),
                _ => Value::Text((*text).to_owned()),
            };
        }
        ImportRow {
            id: self.server.kernel().env().new_id(),
            number: 0,
            values,
            issues: Vec::new(),
        }
    }

    /// Commits the rows in one transaction.
    pub async fn commit(&self, orders: Vec<ImportRow>, surveys: Vec<ImportRow>) -> Result<(Uuid, Json)> {
        let import = self.server.kernel().env().new_id();
        let tx = self.tx().await;
        let batches = [("orders", orders), ("surveys", surveys)].map(|(key, rows)| AcceptedBatch {
            sheet: self.sheet(key),
            rows,
        });
        let mut rows = Batches(
            batches
                .into_iter()
                .filter(|batch| !batch.rows.is_empty())
                .collect(),
        );
        let summary = self.template.commit(&tx, import, &mut rows).await?;
        tx.commit().await?;
        Ok((import, summary))
    }

    /// The codes that a check of these rows against the books gives, row by row.
    pub async fn check(&self, sheet: &str, rows: &mut [ImportRow], seen: &mut Seen) -> Vec<Vec<String>> {
        let (sheet, tx) = (self.sheet(sheet), self.tx().await);
        for row in rows.iter_mut() {
            self.template.check_row(sheet, row);
        }
        self.template.check_batch(&tx, sheet, rows, seen).await.unwrap();
        tx.rollback().await.unwrap();
        rows.iter()
            .map(|row| {
                row.issues
                    .iter()
                    .map(|issue| issue.code.clone().into_owned())
                    .collect()
            })
            .collect()
    }

    pub async fn undo(&self, import: Uuid) -> Result<()> {
        let tx = self.tx().await;
        self.template.undo(&tx, import).await?;
        tx.commit().await
    }

    /// One value that a statement gives, asked as the superuser.
    pub async fn ask<T: for<'a> tokio_postgres::types::FromSql<'a>>(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> T {
        self.server
            .admin()
            .await
            .query_one(sql, params)
            .await
            .unwrap()
            .get(0)
    }

    /// `number:level`, for all orders.
    pub async fn levels(&self) -> String {
        let sql = "select coalesce(string_agg(number || ':' || level, ' ' order by number), '') from purchasing.orders";
        self.ask(sql, &[]).await
    }

    /// `number:level:state`, for all alerts in the order in which they were opened.
    pub async fn alerts(&self) -> String {
        let sql =
            "select coalesce(string_agg(o.number || ':' || a.level || ':' || a.state, ' ' order by a.opened_at, o.number), '')
            from purchasing.alerts a join purchasing.orders o on o.id = a.order_id";
        self.ask(sql, &[]).await
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.ask(&format!("select count(*) from purchasing.{table}"), &[])
            .await
    }

    /// Kinds of all events, in their order.
    pub async fn events(&self) -> Vec<String> {
        let sql = "select coalesce(array_agg(kind order by seq), '{}') from events.outbox where kind like 'purchasing.%'";
        self.ask(sql, &[]).await
    }

    /// The id of an order's alert at a level.
    pub async fn alert(&self, order: &str, level: &str) -> Uuid {
        let sql = "select a.id from purchasing.alerts a join purchasing.orders o on o.id = a.order_id
            where o.number = $1 and a.level = $2";
        self.ask(sql, &[&order, &level]).await
    }
}

/// Accepted rows as the engine hands them over.
struct Batches(VecDeque<AcceptedBatch>);

#[async_trait::async_trait]
impl AcceptedRows for Batches {
    async fn next(&mut self) -> Result<Option<AcceptedBatch>> {
        Ok(self.0.pop_front())
    }
}
