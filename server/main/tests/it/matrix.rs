//! Who may do what, as a file: a change of policy is a change of `snapshots/roles.txt` that somebody reads.

use std::{fmt::Write, path::Path};

use tenon_sdk::permission::Role;
use tenon_services::tenancy;

use crate::support::all_modules;

fn table() -> String {
    let matrix = tenancy::matrix(&all_modules());
    let (_, all) = matrix
        .iter()
        .max_by_key(|(role, _)| *role)
        .expect("there are roles");
    let width = all.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = format!("{:width$}", "permission");
    for role in Role::ALL {
        write!(text, "  {}", role.as_str()).expect("a text takes all");
    }
    text.push('\n');
    for name in all {
        let mut line = format!("{name:width$}");
        for role in Role::ALL {
            let has = matrix
                .iter()
                .any(|(of, names)| *of == role && names.contains(name));
            write!(
                line,
                "  {:<1$}",
                if has { "yes" } else { "" },
                role.as_str().len()
            )
            .expect("a text takes all");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn the_roles_have_exactly_the_permissions_of_the_snapshot() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots/roles.txt");
    let now = table();
    if std::env::var_os("TENON_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &now).expect("the snapshot can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "\nThe permissions of roles have changed. Now:\n\n{now}\nbefore:\n\n{kept}\nIf that is meant, run this test with \
         TENON_UPDATE_SNAPSHOTS=1 and commit the file, so that the change is read.\n"
    );
}

#[test]
fn a_stronger_role_may_do_all_that_a_weaker_one_may() {
    let matrix = tenancy::matrix(&all_modules());
    for pair in matrix.windows(2) {
        let [(weaker, less), (stronger, more)] = pair else {
            continue;
        };
        assert!(
            weaker < stronger && less.iter().all(|name| more.contains(name)),
            "{weaker:?} {stronger:?}"
        );
    }
}
