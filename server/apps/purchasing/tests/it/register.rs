//! The whole register with planted faults, as the engine hands it over: `tests/data/README.md`.

use std::collections::HashMap;

use serde_json::json;
use tenon_sdk::imports::{ImportRow, Issue, Seen};

use crate::books::Books;

const ORDERS: &str = include_str!("../data/register-orders.tsv");
const SURVEYS: &str = include_str!("../data/register-surveys.tsv");
const LEVELS: &str = include_str!("../data/register-levels.tsv");

/// Faults that this app finds; all others the engine has found before it asks the app.
const OURS: [&str; 3] = ["due_before_start", "po_unknown", "order_refused"];

/// The rows of a sheet and the fault planted in each (empty: none), with the engine's own findings in place.
fn rows(books: &Books, sheet: &str, table: &'static str) -> (Vec<ImportRow>, Vec<&'static str>) {
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    lines
        .map(|cells| {
            let named: Vec<_> = head[2..]
                .iter()
                .copied()
                .zip(cells[2..].iter().copied())
                .collect();
            let mut row = books.row(sheet, &named);
            row.number = cells[0].parse().unwrap();
            if !cells[1].is_empty() && !OURS.contains(&cells[1]) {
                row.issues
                    .push(Issue::error(None, cells[1], "found by the engine"));
            }
            (row, cells[1])
        })
        .unzip()
}

#[tokio::test]
async fn exactly_the_planted_faults_are_refused_and_every_order_ends_at_its_level() {
    let books = Books::open().await;
    let mut seen = Seen::default();
    let (mut orders, order_faults) = rows(&books, "orders", ORDERS);
    let (mut surveys, survey_faults) = rows(&books, "surveys", SURVEYS);
    books.check("orders", &mut orders, &mut seen).await;
    // In the batches of a real import.
    for batch in surveys.chunks_mut(500) {
        books.check("surveys", batch, &mut seen).await;
    }
    let in_file: Vec<String> = orders
        .iter()
        .filter_map(|row| row.values[0].as_text().map(str::to_owned))
        .collect();
    for (row, fault) in orders
        .iter()
        .zip(order_faults)
        .chain(surveys.iter().zip(survey_faults))
    {
        let codes: Vec<&str> = row.issues.iter().map(|issue| issue.code.as_ref()).collect();
        // An order whose row lost its number, or bears another's, is not in the file for anyone who reads it.
        let names_no_order = fault == "order_refused"
            && !in_file
                .iter()
                .any(|n| Some(n.as_str()) == row.values[1].as_text());
        let expected = if names_no_order { "po_unknown" } else { fault };
        assert_eq!(row.accepted(), fault.is_empty(), "row {}: {codes:?}", row.number);
        assert!(
            fault.is_empty() || codes.contains(&expected),
            "row {}: {codes:?} without {expected}",
            row.number
        );
    }
    let (orders, surveys): (Vec<_>, Vec<_>) = (
        orders.into_iter().filter(ImportRow::accepted).collect(),
        surveys.into_iter().filter(ImportRow::accepted).collect(),
    );
    assert_eq!((orders.len(), surveys.len()), (92, 1044));

    let (_, summary) = books.commit(orders, surveys).await.unwrap();

    assert_eq!(
        summary["levels"],
        json!({ "on_track": 41, "warning": 17, "critical": 20, "over_budget": 14 })
    );
    assert_eq!(summary["alerts"], json!({ "opened": 51, "closed": 0 }));
    let stored: HashMap<String, (String, String, String)> = books
        .server
        .admin()
        .await
        .query(
            "select number, billed_to_date::text, round(utilisation, 4)::text, level from purchasing.orders",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
        .collect();
    for line in LEVELS.lines().skip(1) {
        let [order, billed, utilisation, level] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (stored_billed, stored_utilisation, stored_level) = &stored[order];
        let amount = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        assert_eq!(amount(stored_billed), amount(billed), "{order}");
        assert_eq!(
            (stored_utilisation.as_str(), stored_level.as_str()),
            (utilisation, level),
            "{order}"
        );
    }
}

#[tokio::test]
async fn importing_the_register_again_accepts_nothing_and_raises_nothing() {
    let books = Books::open().await;
    let (mut orders, _) = rows(&books, "orders", ORDERS);
    let (mut surveys, _) = rows(&books, "surveys", SURVEYS);
    let mut seen = Seen::default();
    books.check("orders", &mut orders, &mut seen).await;
    books.check("surveys", &mut surveys, &mut seen).await;
    orders.retain(ImportRow::accepted);
    surveys.retain(ImportRow::accepted);
    books.commit(orders.clone(), surveys.clone()).await.unwrap();
    let alerts = books.count("alerts").await;

    let mut seen = Seen::default();
    let refused = books.check("orders", &mut orders, &mut seen).await;
    assert!(refused.iter().all(|codes| codes == &["duplicate_no"]));
    let refused = books.check("surveys", &mut surveys, &mut seen).await;
    assert!(refused.iter().all(|codes| codes == &["duplicate_no"]));
    let (_, summary) = books.commit(Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(summary["alerts"], json!({ "opened": 0, "closed": 0 }));
    assert_eq!(books.count("alerts").await, alerts);
}
