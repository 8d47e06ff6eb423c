use crate::books::Books;

#[tokio::test]
async fn an_order_that_rises_opens_one_alert_of_the_level_it_reached() {
    let books = Books::open().await;
    let orders = [
        ("A", "100"),
        ("B", "100"),
        ("C", "100"),
        ("D", "100"),
        ("E", "100"),
    ];
    let surveys = [
        ("1", "A", "79.99"),
        ("2", "B", "80"),
        ("3", "C", "95"),
        ("4", "D", "100"),
        ("5", "E", "100.01"),
    ];
    let (_, summary) = books.import(&orders, &surveys).await;

    assert_eq!(
        books.levels().await,
        "A:on_track B:warning C:critical D:critical E:over_budget"
    );
    assert_eq!(
        books
            .ask::<i64>("select count(*) from purchasing.alerts where state = 'open'", &[])
            .await,
        4
    );
    assert_eq!(summary["alerts"], serde_json::json!({ "opened": 4, "closed": 0 }));
    assert_eq!(
        summary["levels"],
        serde_json::json!({ "on_track": 1, "warning": 1, "critical": 2, "over_budget": 1 })
    );
}

#[tokio::test]
async fn standing_still_within_a_level_raises_nothing_new() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "81")]).await;
    let (_, summary) = books.import(&[], &[("2", "A", "5")]).await;
    assert_eq!(summary["alerts"]["opened"], 0);
    assert_eq!(books.alerts().await, "A:warning:open");
}

#[tokio::test]
async fn each_level_on_the_way_up_has_its_own_alert() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "81")]).await;
    books.import(&[], &[("2", "A", "15")]).await;
    books.import(&[], &[("3", "A", "15")]).await;
    assert_eq!(
        books.alerts().await,
        "A:warning:open A:critical:open A:over_budget:open"
    );
}

#[tokio::test]
async fn falling_back_closes_the_alerts_above_where_the_order_now_stands() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "81")]).await;
    books.import(&[], &[("2", "A", "25")]).await;
    let (_, summary) = books.import(&[], &[("3", "A", "-20")]).await;
    assert_eq!(books.levels().await, "A:warning");
    assert_eq!(books.alerts().await, "A:warning:open A:over_budget:resolved");
    assert_eq!(summary["alerts"], serde_json::json!({ "opened": 0, "closed": 1 }));
}

#[tokio::test]
async fn rising_again_opens_a_new_alert_beside_the_closed_one() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "81")]).await;
    books.import(&[], &[("2", "A", "-10")]).await;
    books.import(&[], &[("3", "A", "10")]).await;
    assert_eq!(books.alerts().await, "A:warning:resolved A:warning:open");
}

#[tokio::test]
async fn a_variation_can_move_an_order_down() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "99")]).await;
    books
        .server
        .admin()
        .await
        .execute("update purchasing.orders set current_value = 200", &[])
        .await
        .unwrap();
    books.import(&[], &[("2", "A", "1")]).await;
    assert_eq!(books.levels().await, "A:on_track");
    assert_eq!(books.alerts().await, "A:critical:resolved");
}

#[tokio::test]
async fn billing_an_order_without_value_is_over_budget_and_has_no_percentage() {
    let books = Books::open().await;
    books.import(&[("A", "0")], &[("1", "A", "0.01")]).await;
    assert_eq!(books.levels().await, "A:over_budget");
    let none: bool = books
        .ask("select utilisation is null from purchasing.orders", &[])
        .await;
    assert!(none);
}

#[tokio::test]
async fn only_certified_entries_are_billed() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    let (import, _) = books.import(&[], &[("1", "A", "60"), ("2", "A", "30")]).await;
    books
        .server
        .admin()
        .await
        .batch_execute(
            "update purchasing.entries set state = 'rejected' where number = '1'; \
             update purchasing.orders set billed_to_date = 30; update purchasing.billed_months set billed = 30",
        )
        .await
        .unwrap();
    books.undo(import).await.unwrap();
    for figure in [
        "billed_to_date::text from purchasing.orders",
        "sum(billed)::text from purchasing.billed_months",
    ] {
        assert_eq!(
            books.ask::<String>(&format!("select {figure}"), &[]).await,
            "0.0000",
            "{figure}"
        );
    }
}

#[tokio::test]
async fn every_alert_and_the_import_are_events_of_the_same_transaction() {
    let books = Books::open().await;
    books
        .import(
            &[("A", "100"), ("B", "100")],
            &[("1", "A", "81"), ("2", "B", "81")],
        )
        .await;
    books.import(&[], &[("3", "A", "-81")]).await;
    assert_eq!(
        books.events().await,
        [
            "purchasing.alert_opened",
            "purchasing.alert_opened",
            "purchasing.import_committed",
            "purchasing.alert_closed",
            "purchasing.import_committed"
        ]
    );
}
