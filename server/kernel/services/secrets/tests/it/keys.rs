use tenon_sdk::secrets::{Sealed, Secrets};

use crate::{World, config, place};

#[tokio::test]
async fn each_organisation_and_purpose_has_a_key_of_its_own() {
    let world = World::new().await;
    let keeper = world.keeper().await;
    let (ours, theirs) = (world.organization().await, world.organization().await);
    for org in [Some(ours), Some(theirs), None] {
        let id = world.put(&keeper, org, "hunter2").await;
        assert_eq!(world.get(&keeper, id).await.unwrap(), "hunter2");
    }
    let before = world.count("secrets.data_keys").await;
    world.put(&keeper, Some(ours), "again").await;
    assert_eq!(world.count("secrets.data_keys").await, before);
    let kept = world
        .count("(select distinct org_id, purpose from secrets.data_keys) k")
        .await;
    assert_eq!(kept, before);
}

#[tokio::test]
async fn a_value_that_was_copied_to_another_organisation_or_row_does_not_open() {
    let world = World::new().await;
    let keeper = world.keeper().await;
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let sealed = keeper.seal(&place(Some(ours), "1"), b"ours").await.unwrap();
    // They have a key, too.
    keeper.seal(&place(Some(theirs), "1"), b"theirs").await.unwrap();
    for elsewhere in [place(Some(theirs), "1"), place(Some(ours), "2"), place(None, "1")] {
        let refused = keeper.open(&elsewhere, &sealed).await.unwrap_err();
        assert_eq!(refused.code, "secrets.unreadable");
    }
    let nonsense = Sealed(b"hello".to_vec());
    let refused = keeper.open(&place(Some(ours), "1"), &nonsense).await.unwrap_err();
    assert_eq!(refused.code, "secrets.unreadable");
}

#[tokio::test]
async fn servers_that_seal_first_values_at_once_share_a_key() {
    let world = World::new().await;
    let org = Some(world.organization().await);
    let servers = [world.keeper().await, world.keeper().await, world.keeper().await];
    let before = world.count("secrets.data_keys").await;
    let ids = futures(&world, &servers, org).await;
    assert_eq!(world.count("secrets.data_keys").await, before + 1);
    for id in ids {
        for server in &servers {
            assert_eq!(world.get(server, id).await.unwrap(), "x");
        }
    }
}

async fn futures(
    world: &World,
    servers: &[tenon_secrets::Keeper; 3],
    org: Option<tenon_sdk::OrgId>,
) -> [uuid::Uuid; 3] {
    let (a, b, c) = tokio::join!(
        world.put(&servers[0], org, "x"),
        world.put(&servers[1], org, "x"),
        world.put(&servers[2], org, "x")
    );
    [a, b, c]
}

#[tokio::test]
async fn another_master_key_is_noticed_before_anything_is_sealed_with_it() {
    let world = World::new().await;
    world.keeper().await;
    let other = config(|config| config.secrets.master_file = world.folder.path().join("other.keys"));
    let other = tenon_secrets::Keeper::new(world.db(), world.env.clone(), &other).unwrap();
    let refused = other.check().await.unwrap_err();
    assert_eq!(refused.code, "secrets.wrong_master_key");
}

#[tokio::test]
async fn without_the_master_key_nothing_opens() {
    let world = World::new().await;
    let keeper = world.keeper().await;
    let id = world.put(&keeper, None, "hunter2").await;
    let text = std::fs::read_to_string(world.file()).unwrap();
    let key = text.lines().last().unwrap().strip_prefix("1 ").unwrap();
    let given = |text: String| config(|config| config.secrets.master_keys = text.as_str().into());
    let same = given(format!("1:{key}"));
    let same = tenon_secrets::Keeper::new(world.db(), world.env.clone(), &same).unwrap();
    assert_eq!(world.get(&same, id).await.unwrap(), "hunter2");
    let later = given(format!("2:{key}"));
    let later = tenon_secrets::Keeper::new(world.db(), world.env.clone(), &later).unwrap();
    let refused = world.get(&later, id).await.unwrap_err();
    assert_eq!(refused.code, "secrets.no_master_key");
    assert!(!format!("{refused:?}").contains(key));
}

#[tokio::test]
async fn the_keys_of_an_organisation_end_with_it() {
    let world = World::new().await;
    let keeper = world.keeper().await;
    let org = world.organization().await;
    let sealed = keeper.seal(&place(Some(org), "1"), b"x").await.unwrap();
    let admin = world.database.admin().await;
    admin
        .execute("delete from tenancy.organizations where id = $1", &[&org.0])
        .await
        .unwrap();
    // A backup of the value is noise to whoever has the database and the master key.
    let fresh = world.keeper().await;
    let refused = fresh.open(&place(Some(org), "1"), &sealed).await.unwrap_err();
    assert_eq!(refused.code, "secrets.unreadable");
}

#[tokio::test]
async fn no_request_reaches_the_keys() {
    let world = World::new().await;
    let keeper = world.keeper().await;
    world.put(&keeper, None, "x").await;
    let admin = world.database.admin().await;
    for role in ["anon", "authenticated", "service_role"] {
        for table in ["secrets.data_keys", "secrets.master_keys"] {
            let row = admin
                .query_one(
                    "select has_table_privilege($1, $2, 'select, insert, update, delete')",
                    &[&role, &table],
                )
                .await
                .unwrap();
            assert!(!row.get::<_, bool>(0), "{role} {table}");
        }
    }
}
