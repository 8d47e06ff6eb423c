use crate::books::Books;

#[tokio::test]
async fn both_demo_organisations_get_full_books() {
    let books = Books::open().await;
    let app = tenon_purchasing::app();
    let other = books.server.organization("Second").await;
    for (org, number, orders) in [(&books.org, 1, 140), (&other, 2, 40)] {
        let tx = books.tx_of(org).await;
        app.load_demo(&tx, number).await.unwrap();
        tx.commit().await.unwrap();

        let (status, board) = org.owner.get_json("/api/v1/purchasing/board").await;
        assert_eq!(status, 200, "{board}");
        let counts: Vec<u64> = board["levels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|level| level["orders"].as_u64().unwrap())
            .collect();
        assert_eq!(counts.iter().sum::<u64>(), orders);
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
        assert!(board["overdue"].as_u64().unwrap() > 0 && board["open_alerts"].as_u64().unwrap() > 0);
        assert!(board["totals"].as_array().unwrap().len() > 1);
        assert!(board["billed_by_month"].as_array().unwrap().len() > 12);
    }
    let wrong: i64 = books
        .ask(
            "select count(*) from purchasing.orders o where billed_to_date <>
             (select coalesce(sum(amount), 0) from purchasing.entries e where e.order_id = o.id)",
            &[],
        )
        .await;
    assert_eq!(wrong, 0);
}
