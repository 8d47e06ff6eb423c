use crate::books::Books;

#[tokio::test]
async fn the_database_understands_every_statement() {
    let books = Books::open().await;
    let admin = books.server.admin().await;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/queries")).unwrap() {
        let path = entry.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = admin.prepare(&sql).await {
            panic!("{}: {error:?}", path.display());
        }
    }
}

#[tokio::test]
async fn every_table_and_column_that_is_served_is_explained() {
    let books = Books::open().await;
    let unexplained: Vec<String> = books
        .ask(
            "select coalesce(array_agg(c.relname), '{}') from pg_class c
             where c.relnamespace = 'purchasing'::regnamespace and c.relkind = 'r' and obj_description(c.oid) is null",
            &[],
        )
        .await;
    assert!(unexplained.is_empty(), "{unexplained:?}");
}
