use serde_json::json;

use crate::books::Books;

#[tokio::test]
async fn undoing_an_import_leaves_the_books_as_they_were() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "10")]).await;
    let (import, _) = books
        .import(&[("B", "100")], &[("2", "B", "120"), ("3", "A", "85")])
        .await;
    assert_eq!(books.levels().await, "A:critical B:over_budget");

    books.undo(import).await.unwrap();

    assert_eq!(books.levels().await, "A:on_track");
    assert_eq!(books.alerts().await, "A:critical:resolved");
    assert_eq!(
        (books.count("entries").await, books.count("suppliers").await),
        (1, 1)
    );
    assert_eq!(
        books
            .ask::<String>("select billed_to_date::text from purchasing.orders", &[])
            .await,
        "10.0000"
    );
    assert_eq!(
        books
            .ask::<String>("select sum(billed)::text from purchasing.billed_months", &[])
            .await,
        "10.0000"
    );
    assert_eq!(books.events().await.last().unwrap(), "purchasing.import_undone");
}

#[tokio::test]
async fn the_same_file_can_be_imported_again_after_its_undo() {
    let books = Books::open().await;
    let (import, before) = books.import(&[("A", "100")], &[("1", "A", "90")]).await;
    books.undo(import).await.unwrap();
    assert_eq!(
        (
            books.count("orders").await,
            books.count("suppliers").await,
            books.count("alerts").await
        ),
        (0, 0, 0)
    );
    let (_, after) = books.import(&[("A", "100")], &[("1", "A", "90")]).await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn an_import_is_kept_while_later_entries_stand_on_its_orders() {
    let books = Books::open().await;
    let (first, _) = books.import(&[("A", "100")], &[]).await;
    let (second, _) = books.import(&[], &[("1", "A", "10")]).await;
    let error = books.undo(first).await.unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.status()),
        ("purchasing.import_in_use", 409)
    );
    assert_eq!(
        error.details.unwrap(),
        "In the way: 1 entries of other imports on its orders."
    );

    books.undo(second).await.unwrap();
    books.undo(first).await.unwrap();
    assert_eq!(books.count("orders").await, 0);
}

#[tokio::test]
async fn an_import_is_kept_once_somebody_acknowledged_an_alert_it_raised() {
    let books = Books::open().await;
    let (import, _) = books.import(&[("A", "100")], &[("1", "A", "90")]).await;
    let alert = books.alert("A", "warning").await;
    let path = format!("/api/v1/purchasing/alerts/{alert}/acknowledge");
    assert_eq!(books.org.owner.post_json(&path, &json!({})).await.0, 200);
    let error = books.undo(import).await.unwrap_err();
    assert_eq!(error.details.unwrap(), "In the way: 1 acknowledged alerts.");
}

#[tokio::test]
async fn a_supplier_that_other_orders_use_stays() {
    let books = Books::open().await;
    let (first, _) = books.import(&[("A", "100")], &[]).await;
    books.import(&[("B", "100")], &[]).await;
    books.undo(first).await.unwrap();
    assert_eq!(
        (books.levels().await.as_str(), books.count("suppliers").await),
        ("B:on_track", 1)
    );
}

#[tokio::test]
async fn undoing_a_reversal_raises_the_alert_again() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[("1", "A", "90")]).await;
    let (reversal, _) = books.import(&[], &[("2", "A", "-90")]).await;
    books.undo(reversal).await.unwrap();
    assert_eq!(books.alerts().await, "A:warning:resolved A:warning:open");
}
