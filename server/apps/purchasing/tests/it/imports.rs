use serde_json::json;
use tenon_sdk::imports::Seen;

use crate::books::Books;

#[tokio::test]
async fn an_import_brings_suppliers_orders_and_entries() {
    let books = Books::open().await;
    let order = |number, supplier| {
        books.row(
            "orders",
            &[
                ("number", number),
                ("description", "Piling"),
                ("supplier", supplier),
                ("project", "Quay 9"),
                ("currency", "EUR"),
                ("value", "1234.5"),
                ("start_date", "2026-01-05"),
                ("due_date", "2026-03-01"),
            ],
        )
    };
    let orders = vec![
        order("A", "Harrow & Pike"),
        order("B", " HARROW & PIKE"),
        order("C", "Đông Á"),
    ];
    let surveys = vec![books.survey(&("1", "a", "100"))];
    let (_, summary) = books.commit(orders, surveys).await.unwrap();

    assert_eq!(
        (&summary["orders"], &summary["entries"], &summary["suppliers"]),
        (&json!(3), &json!(1), &json!(2))
    );
    let stored: String = books
        .ask(
            "select concat_ws('|', s.name, o.description, o.project, o.currency, o.original_value, o.current_value,
                o.billed_to_date, o.start_date, o.due_date)
             from purchasing.orders o join purchasing.suppliers s on s.id = o.supplier_id where o.number = 'A'",
            &[],
        )
        .await;
    assert_eq!(
        stored,
        "Harrow & Pike|Piling|Quay 9|EUR|1234.5000|1234.5000|100.0000|2026-01-05|2026-03-01"
    );
    assert_eq!(
        books
            .ask::<String>("select state from purchasing.entries", &[])
            .await,
        "certified"
    );
}

#[tokio::test]
async fn a_second_import_finds_the_suppliers_of_the_first() {
    let books = Books::open().await;
    books.import(&[("A", "1")], &[]).await;
    let (_, summary) = books.import(&[("B", "1")], &[]).await;
    assert_eq!(summary["suppliers"], 0);
    assert_eq!(books.count("suppliers").await, 1);
}

#[tokio::test]
async fn rows_that_are_in_the_books_already_are_refused() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "10")]).await;
    let mut seen = Seen::default();
    let mut orders = [books.order(&("a", "100")), books.order(&("B", "100"))];
    assert_eq!(
        books.check("orders", &mut orders, &mut seen).await,
        [vec!["duplicate_no".to_owned()], vec![]]
    );
    // The order's row is refused, but the order is in the books: its surveys stand on that.
    let mut surveys = [
        books.survey(&("1", "A", "10")),
        books.survey(&("2", "A", "10")),
        books.survey(&("3", "b", "1")),
    ];
    assert_eq!(
        books.check("surveys", &mut surveys, &mut seen).await,
        [vec!["duplicate_no".to_owned()], vec![], vec![]]
    );
}

#[tokio::test]
async fn a_survey_needs_an_order_that_was_accepted() {
    let books = Books::open().await;
    let mut seen = Seen::default();
    let dates = [
        ("number", "A"),
        ("start_date", "2026-02-01"),
        ("due_date", "2026-01-01"),
    ];
    books
        .check("orders", &mut [books.row("orders", &dates)], &mut seen)
        .await;
    let mut surveys = [
        books.survey(&("1", "A", "1")),
        books.survey(&("2", "Z", "1")),
        books.survey(&("3", "", "1")),
    ];
    assert_eq!(
        books.check("surveys", &mut surveys, &mut seen).await,
        [
            vec!["order_refused".to_owned()],
            vec!["po_unknown".to_owned()],
            vec![]
        ]
    );
}

#[tokio::test]
async fn another_organisations_orders_do_not_count_as_known() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    let other = Books {
        org: books.server.organization("Other").await,
        ..books
    };
    let mut surveys = [other.survey(&("1", "A", "1"))];
    assert_eq!(
        other.check("surveys", &mut surveys, &mut Seen::default()).await,
        [["po_unknown"]]
    );
}

#[tokio::test]
async fn rows_that_no_longer_fit_the_books_stop_the_whole_import() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    for (orders, surveys) in [
        (vec![("B", "1"), ("A", "1")], vec![]),
        (vec![("B", "1")], vec![("1", "gone", "1")]),
    ] {
        let error = books.try_import(&orders, &surveys).await.unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.status()),
            ("imports.validation_stale", 409)
        );
    }
    assert_eq!(
        (books.levels().await.as_str(), books.count("entries").await),
        ("A:on_track", 0)
    );
}

#[tokio::test]
async fn the_target_version_moves_with_every_change_of_the_books() {
    let books = Books::open().await;
    let version = async || {
        let tx = books.tx().await;
        let version = books.template.target_version(&tx).await.unwrap();
        tx.rollback().await.unwrap();
        version
    };
    let empty = version().await;
    let (import, _) = books.import(&[("A", "100")], &[]).await;
    let filled = version().await;
    books.undo(import).await.unwrap();
    assert!(empty < filled && filled < version().await);
}

#[tokio::test]
async fn two_imports_at_once_add_up() {
    let books = Books::open().await;
    books.import(&[("A", "1000")], &[]).await;
    let (first, second) = tokio::join!(
        books.try_import(&[], &[("1", "A", "10"), ("2", "A", "20")]),
        books.try_import(&[], &[("3", "A", "30"), ("4", "A", "40")]),
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(
        books
            .ask::<String>("select billed_to_date::text from purchasing.orders", &[])
            .await,
        "100.0000"
    );
    assert_eq!(
        books
            .ask::<String>("select sum(billed)::text from purchasing.billed_months", &[])
            .await,
        "100.0000"
    );
}
