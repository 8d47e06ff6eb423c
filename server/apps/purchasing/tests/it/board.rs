use reqwest::Method;
use serde_json::json;
use tenon_sdk::permission::Role;

use crate::books::Books;

const BOARD: &str = "/api/v1/purchasing/board";

#[tokio::test]
async fn an_empty_organisation_has_an_empty_board() {
    let books = Books::open().await;
    let (status, board) = books.org.owner.get_json(BOARD).await;
    assert_eq!(status, 200, "{board}");
    assert_eq!(
        board,
        json!({
            "totals": [],
            "levels": [
                { "level": "on_track", "orders": 0 }, { "level": "warning", "orders": 0 },
                { "level": "critical", "orders": 0 }, { "level": "over_budget", "orders": 0 },
            ],
            "open_alerts": 0, "overdue": 0, "top_risks": [], "billed_by_month": [],
        })
    );
}

#[tokio::test]
async fn the_board_adds_up_by_currency_level_and_month() {
    let books = Books::open().await;
    let order = |number, currency, value, due| {
        let cells = [
            ("number", number),
            ("supplier", "Ironbark"),
            ("currency", currency),
            ("value", value),
            ("due_date", due),
        ];
        books.row("orders", &cells)
    };
    let survey = |number, order, date, amount| {
        books.row(
            "surveys",
            &[
                ("number", number),
                ("order", order),
                ("survey_date", date),
                ("amount", amount),
            ],
        )
    };
    let orders = vec![
        order("A", "GBP", "100.10", "2020-01-01"),
        order("B", "GBP", "50", "2020-01-01"),
        order("C", "EUR", "10", "2999-01-01"),
        order("Z", "EUR", "0", ""),
    ];
    let surveys = vec![
        survey("1", "A", "2026-01-31", "80.09"),
        survey("2", "B", "2026-02-01", "60"),
        survey("3", "C", "2026-02-28", "1.5"),
        survey("4", "Z", "2023-12-31", "1"),
    ];
    books.commit(orders, surveys).await.unwrap();

    let viewer = books.server.member(&books.org, Role::Viewer).await;
    let (_, board) = viewer.get_json(BOARD).await;
    assert_eq!(
        board["totals"],
        json!([
            { "currency": "EUR", "orders": 2, "ordered": "10.0000", "billed": "2.5000", "open_commitment": "8.5000" },
            { "currency": "GBP", "orders": 2, "ordered": "150.1000", "billed": "140.0900", "open_commitment": "20.0100" },
        ])
    );
    assert_eq!(
        board["levels"],
        json!([
            { "level": "on_track", "orders": 1 }, { "level": "warning", "orders": 1 },
            { "level": "critical", "orders": 0 }, { "level": "over_budget", "orders": 2 },
        ])
    );
    // B is past its date too, but fully billed.
    assert_eq!((&board["open_alerts"], &board["overdue"]), (&json!(3), &json!(1)));
    let risks: Vec<_> = board["top_risks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|risk| (&risk["number"], &risk["utilisation"]))
        .collect();
    assert_eq!(
        risks,
        [
            (&json!("Z"), &json!(null)),
            (&json!("B"), &json!("120")),
            (&json!("A"), &json!("80.00999000999001"))
        ]
    );
    // December 2023 lies more than 24 months before the latest.
    assert_eq!(
        board["billed_by_month"],
        json!([
            { "month": "2026-01", "currency": "GBP", "billed": "80.0900" },
            { "month": "2026-02", "currency": "EUR", "billed": "1.5000" },
            { "month": "2026-02", "currency": "GBP", "billed": "60.0000" },
        ])
    );
}

#[tokio::test]
async fn at_most_ten_risks_are_shown_and_no_order_that_is_on_track() {
    let books = Books::open().await;
    let numbers: Vec<String> = (10..25).map(|number| format!("PO-{number}")).collect();
    let orders: Vec<_> = numbers.iter().map(|number| (number.as_str(), "100")).collect();
    let amounts: Vec<String> = (0..15).map(|place| format!("{}", 78 + place)).collect();
    let surveys: Vec<_> = numbers
        .iter()
        .zip(&amounts)
        .map(|(number, amount)| (number.as_str(), number.as_str(), amount.as_str()))
        .collect();
    books.import(&orders, &surveys).await;
    let (_, board) = books.org.owner.get_json(BOARD).await;
    let risks: Vec<_> = board["top_risks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|risk| &risk["utilisation"])
        .collect();
    assert_eq!(
        risks,
        ["92", "91", "90", "89", "88", "87", "86", "85", "84", "83"]
    );
}

#[tokio::test]
async fn a_board_shows_its_own_organisation_only() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "90")]).await;
    let other = books.server.organization("Other").await;
    let (_, board) = other.owner.get_json(BOARD).await;
    assert_eq!((&board["totals"], &board["open_alerts"]), (&json!([]), &json!(0)));
    let (status, body) = other.owner.in_org(books.org.id).get_json(BOARD).await;
    assert_eq!((status, &body["code"]), (404, &json!("tenancy.org_not_found")));
}

#[tokio::test]
async fn who_is_not_signed_in_sees_no_board() {
    let books = Books::open().await;
    let (status, body) = tenon_testkit::answer(books.server.anonymous(Method::GET, BOARD)).await;
    assert_eq!((status, &body["code"]), (401, &json!("auth.required")));
}
