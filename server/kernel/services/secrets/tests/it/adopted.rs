use tenon_sdk::secrets::SealedColumn;

use crate::World;

const WORDS: SealedColumn = SealedColumn {
    table: "vaults.words",
    column: "sealed",
    row: "id::text",
    org: "org_id",
    purpose: "test.words",
    before: Some("word"),
};
const BYTES: SealedColumn = SealedColumn {
    table: "vaults.bytes",
    column: "sealed",
    row: "id::text",
    org: "null::uuid",
    purpose: "test.bytes",
    before: Some("bytes"),
};

#[tokio::test]
async fn what_an_earlier_release_kept_as_it_is_is_sealed_by_the_next_start_once_by_however_many_servers() {
    let world = World::new().await;
    let org = world.organization().await;
    let admin = world.database.admin().await;
    admin
        .execute(
            "insert into vaults.words (id, org_id, word) select gen_random_uuid(), case when n % 2 = 0 then $1::uuid end, 'wörd ' || n \
             from generate_series(1, 250) n",
            &[&org.0],
        )
        .await
        .unwrap();
    admin
        .execute(
            r"insert into vaults.bytes (id, bytes) values (1, '\x00ff'), (2, '')",
            &[],
        )
        .await
        .unwrap();
    let servers = [world.keeper().await, world.keeper().await];
    let columns = [WORDS, BYTES];
    let (one, other) = tokio::join!(servers[0].adopt(&columns), servers[1].adopt(&columns));
    one.unwrap();
    other.unwrap();
    assert_eq!(
        world
            .count("vaults.words where word is null and sealed is not null")
            .await,
        250
    );
    let rows = admin
        .query("select id::text, org_id, sealed from vaults.words", &[])
        .await
        .unwrap();
    let mut words = Vec::new();
    for row in &rows {
        let (id, org): (String, Option<uuid::Uuid>) = (row.get(0), row.get(1));
        let opened = WORDS
            .open(&servers[1], org.map(tenon_sdk::OrgId), &id, &row.get(2))
            .await
            .unwrap();
        words.push(opened.text().unwrap().to_owned());
    }
    words.sort();
    let mut expected: Vec<String> = (1..=250).map(|n| format!("wörd {n}")).collect();
    expected.sort();
    assert_eq!(words, expected);
    for (id, bytes) in [("1", &b"\x00\xff"[..]), ("2", b"")] {
        let sealed = admin
            .query_one("select sealed from vaults.bytes where id::text = $1", &[&id])
            .await
            .unwrap();
        let opened = BYTES.open(&servers[0], None, id, &sealed.get(0)).await.unwrap();
        assert_eq!(opened.expose(), bytes);
    }
    // Nothing is left to do.
    servers[0].adopt(&columns).await.unwrap();
}
