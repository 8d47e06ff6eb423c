use tenon_sdk::{
    config::Config,
    secrets::{Plain, Secrets},
};
use tenon_secrets::Keeper;

use crate::{
    World, config, place,
    transit::{TOKEN, Transit},
};

fn inside(world: &World, transit: &Transit, change: impl FnOnce(&mut Config)) -> Keeper {
    let config = config(|config| {
        config.secrets.master_file = world.file();
        config.secrets.vault.address = format!("http://{}", transit.address);
        config.secrets.vault.token = TOKEN.into();
        change(config);
    });
    Keeper::new(world.db(), world.env.clone(), &config).unwrap()
}

#[tokio::test]
async fn data_keys_are_wrapped_inside_vault_each_in_the_context_of_its_organisation() {
    let world = World::new().await;
    let transit = Transit::start().await;
    let keeper = inside(&world, &transit, |_| {});
    keeper.check().await.unwrap();
    let org = world.organization().await;
    let id = world.put(&keeper, Some(org), "hunter2").await;
    assert_eq!(
        world.get(&inside(&world, &transit, |_| {}), id).await.unwrap(),
        "hunter2"
    );
    assert!(!world.file().exists());
    // Its wrapped key does not open for others.
    let other = world.organization().await;
    world
        .database
        .admin()
        .await
        .execute(
            "update secrets.data_keys set org_id = $1 where org_id = $2",
            &[&other.0, &org.0],
        )
        .await
        .unwrap();
    let fresh = inside(&world, &transit, |_| {});
    let refused = fresh.seal(&place(Some(other), "1"), b"x").await.unwrap_err();
    assert_eq!(refused.code, "secrets.vault_away");
    // Each was asked of once, however many values there are.
    let before = transit.held().asked["decrypt"];
    for _ in 0..10 {
        assert_eq!(
            world
                .get(&keeper, world.put(&keeper, None, "x").await)
                .await
                .unwrap(),
            "x"
        );
    }
    assert!(transit.held().asked["decrypt"] <= before + 1);
}

#[tokio::test]
async fn keys_move_from_the_file_into_vault_by_a_rotation_and_turn_there() {
    let world = World::new().await;
    let local = world.keeper().await;
    let org = world.organization().await;
    let id = world.put(&local, Some(org), "older than Vault").await;
    let transit = Transit::start().await;
    let keeper = inside(&world, &transit, |_| {});
    assert_eq!(world.get(&keeper, id).await.unwrap(), "older than Vault");
    let rotation = world.rotation(&keeper);
    assert!(rotation.status().await.unwrap().behind > 0);
    // What lies under the file's key is work enough: no new version.
    rotation.rewrap(&mut |_| {}).await.unwrap();
    let status = rotation.status().await.unwrap();
    assert_eq!((status.newest, status.behind), (1, 0));
    rotation.rewrap(&mut |_| {}).await.unwrap();
    let status = rotation.status().await.unwrap();
    assert_eq!((status.newest, status.behind), (2, 0));
    std::fs::remove_file(world.file()).unwrap();
    let fresh = inside(&world, &transit, |_| {});
    assert_eq!(world.get(&fresh, id).await.unwrap(), "older than Vault");
}

#[tokio::test]
async fn a_vault_that_does_not_help_is_named_and_nothing_is_lost() {
    let world = World::new().await;
    let transit = Transit::start().await;
    let keeper = inside(&world, &transit, |_| {});
    let id = world.put(&keeper, None, "x").await;
    transit.held().sealed = true;
    // Who has the key goes on.
    assert_eq!(world.get(&keeper, id).await.unwrap(), "x");
    let fresh = inside(&world, &transit, |_| {});
    let refused = world.get(&fresh, id).await.unwrap_err();
    assert_eq!(refused.code, "secrets.vault_away");
    assert!(!format!("{refused:?}").contains(TOKEN));
    transit.held().sealed = false;
    assert_eq!(world.get(&fresh, id).await.unwrap(), "x");

    let stranger = inside(&world, &transit, |config| {
        config.secrets.vault.token = "hvs.other".into();
    });
    assert_eq!(
        world.get(&stranger, id).await.unwrap_err().code,
        "secrets.vault_away"
    );
}

#[tokio::test]
async fn a_key_of_vault_that_is_not_derived_is_refused_and_the_token_may_be_in_a_file() {
    let world = World::new().await;
    let transit = Transit::start().await;
    transit.held().derived = false;
    let token = world.folder.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let keeper = inside(&world, &transit, |config| {
        config.secrets.vault.token = "".into();
        config.secrets.vault.token_file = token;
    });
    let refused = keeper.check().await.unwrap_err();
    assert_eq!(refused.code, "config.invalid");
    assert!(refused.hint.unwrap().contains("derived=true"));
    transit.held().derived = true;
    keeper.check().await.unwrap();
    let sealed = keeper.seal(&place(None, "1"), b"x").await.unwrap();
    let opened: Plain = keeper.open(&place(None, "1"), &sealed).await.unwrap();
    assert_eq!(opened.expose(), b"x");
}
