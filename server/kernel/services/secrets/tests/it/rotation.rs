use tenon_secrets::{Progress, Rotation};

use crate::World;

async fn all(rotation: &Rotation) -> Vec<Progress> {
    let mut told = Vec::new();
    rotation.rewrap(&mut |step| told.push(step)).await.unwrap();
    told
}

#[tokio::test]
async fn a_new_master_key_wraps_everything_while_servers_go_on() {
    let world = World::new().await;
    let (server, operator) = (world.keeper().await, world.keeper().await);
    let mut ids = Vec::new();
    for _ in 0..120 {
        let org = world.organization().await;
        ids.push(world.put(&server, Some(org), "x").await);
    }
    let rotation = world.rotation(&operator);
    let before = rotation.status().await.unwrap();
    assert_eq!((before.newest, before.behind), (1, 0));
    let told = all(&rotation).await;
    let total = u64::try_from(before.data_keys).unwrap();
    assert_eq!(told[0], Progress::Master { version: 2 });
    assert_eq!(told[1], Progress::Wrapped { done: 0, total });
    assert_eq!(told.last(), Some(&Progress::Wrapped { done: total, total }));
    let after = rotation.status().await.unwrap();
    assert_eq!((after.newest, after.behind), (2, 0));
    // A server that runs on, and one that starts now.
    let fresh = world.keeper().await;
    for id in ids {
        assert_eq!(world.get(&server, id).await.unwrap(), "x");
        assert_eq!(world.get(&fresh, id).await.unwrap(), "x");
    }
    // What the running one makes now lies under a key that it had not read yet.
    let org = world.organization().await;
    let id = world.put(&server, Some(org), "later").await;
    assert_eq!(world.get(&fresh, id).await.unwrap(), "later");
}

#[tokio::test]
async fn a_rotation_that_was_broken_off_goes_on_where_it_was() {
    let world = World::new().await;
    let keeper = world.keeper().await;
    let mut ids = Vec::new();
    for _ in 0..150 {
        let org = world.organization().await;
        ids.push(world.put(&keeper, Some(org), "x").await);
    }
    let broken = world.rotation(&keeper);
    let died = tokio::spawn(async move {
        let mut tell = |step| assert!(!matches!(step, Progress::Wrapped { done: 100, .. }), "broken off");
        broken.rewrap(&mut tell).await
    });
    assert!(died.await.unwrap_err().is_panic());
    let rotation = world.rotation(&keeper);
    let halfway = rotation.status().await.unwrap();
    assert_eq!((halfway.newest, halfway.data_keys - halfway.behind), (2, 100));
    let told = all(&rotation).await;
    let total = u64::try_from(halfway.behind).unwrap();
    assert_eq!(told.first(), Some(&Progress::Wrapped { done: 0, total }));
    let after = rotation.status().await.unwrap();
    assert_eq!((after.newest, after.behind), (2, 0));
    let fresh = world.keeper().await;
    for id in ids {
        assert_eq!(world.get(&fresh, id).await.unwrap(), "x");
    }
}

#[tokio::test]
async fn values_are_sealed_anew_and_the_old_keys_go() {
    let world = World::new().await;
    let (server, operator) = (world.keeper().await, world.keeper().await);
    let org = world.organization().await;
    let mut ids = Vec::new();
    for number in 0..150 {
        let org = (number % 2 == 0).then_some(org);
        ids.push((number, world.put(&server, org, &number.to_string()).await));
    }
    let keys = world
        .count("secrets.data_keys where purpose = 'test.values'")
        .await;
    assert_eq!(keys, 2);
    let mut told = Vec::new();
    let rotation = world.rotation(&operator);
    rotation.reseal(&mut |step| told.push(step)).await.unwrap();
    assert_eq!(told.last(), Some(&Progress::Dropped { keys: 2 }));
    assert!(told.contains(&Progress::Sealed {
        column: "vaults.values.sealed".into(),
        done: 75,
        total: 75
    }));
    let versions = world
        .count("secrets.data_keys where purpose = 'test.values' and version = 2")
        .await;
    assert_eq!(versions, 2);
    let fresh = world.keeper().await;
    for (number, id) in ids {
        assert_eq!(world.get(&fresh, id).await.unwrap(), number.to_string());
        assert_eq!(world.get(&server, id).await.unwrap(), number.to_string());
    }
    // Nothing was left to do, and it does no harm.
    rotation.reseal(&mut |_| {}).await.unwrap();
    assert_eq!(world.count("vaults.values").await, 150);
}
