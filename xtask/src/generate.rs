//! `cargo xtask gen`: what is generated and committed, or generated before every build of the web app.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, program, read, root, run, target};
use crate::web;

/// Writes `openapi.json` from the server's routes, then the web app's types of it.
pub fn generate() -> Result<()> {
    let path = root().join("openapi.json");
    run(cargo().args(["build", "--locked", "-p", "tenon"]))?;
    fs::write(&path, openapi()?).with_context(|| format!("write {}", path.display()))?;
    println!("wrote {}", path.display());
    web::install()?;
    web::script("gen", &[])
}

/// Fails when `openapi.json` is not what the server, built before, says now.
pub fn check_openapi() -> Result<()> {
    let path = root().join("openapi.json");
    let committed = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    if committed != openapi()? {
        bail!("openapi.json does not describe this server. Write it anew: cargo xtask gen");
    }
    Ok(())
}

fn openapi() -> Result<String> {
    let text = read(program(target().join("debug/tenon")).arg("openapi"))?;
    Ok(format!("{}\n", text.trim_end()))
}
