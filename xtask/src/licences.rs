//! Every dependency's licence against the list in `deny.toml`: by cargo-deny, or without it by ourselves.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::command::{cargo, read, root, run};
use crate::tools;

pub fn check() -> Result<()> {
    if tools::has_cargo_deny() {
        return run(cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]));
    }
    println!("   cargo-deny is not installed: licences are checked here, advisories and duplicates are not");
    let path = root().join("deny.toml");
    let settings: toml::Table = fs::read_to_string(&path)?
        .parse()
        .with_context(|| format!("read {}", path.display()))?;
    let allowed: Vec<_> = settings
        .get("licenses")
        .and_then(|licences| licences.get("allow")?.as_array())
        .context("deny.toml has no licenses.allow")?
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let metadata: Value = serde_json::from_str(&read(cargo().args([
        "metadata",
        "--format-version=1",
        "--locked",
    ]))?)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let refused: Vec<_> = packages
        .iter()
        .filter_map(|package| refusal(package, &allowed))
        .collect();
    if !refused.is_empty() {
        bail!(
            "licences that deny.toml does not allow:\n   {}",
            refused.join("\n   ")
        );
    }
    println!("   {} packages", packages.len());
    Ok(())
}

/// Why a package's licence is not acceptable, if so.
fn refusal(package: &Value, allowed: &[&str]) -> Option<String> {
    let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{name}: names no licence"));
    };
    accepts(licence, allowed)
        .err()
        .map(|reason| format!("{name}: {reason}"))
}

fn accepts(licence: &str, allowed: &[&str]) -> Result<()> {
    // Old crates separate alternatives by a slash.
    let expression =
        Expression::parse_mode(licence, ParseMode::LAX).with_context(|| format!("{licence:?}"))?;
    if !expression.evaluate(|wanted| allowed.contains(&wanted.to_string().as_str())) {
        bail!("{licence}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::accepts;

    #[test]
    fn one_allowed_alternative_suffices_and_all_parts_of_a_conjunction_are_needed() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "GPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR ISC) AND MIT",
        ] {
            assert!(accepts(licence, &allowed).is_ok(), "{licence}");
        }
        for licence in ["GPL-3.0", "MIT AND GPL-3.0", "ISC", "not a licence"] {
            assert!(accepts(licence, &allowed).is_err(), "{licence}");
        }
    }
}
