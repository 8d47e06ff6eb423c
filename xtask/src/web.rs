//! The web app's packages and build, repeated only when their sources changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{npm, root, run, scratch};
use crate::tools;

/// The web app's folder.
pub fn folder() -> PathBuf {
    root().join("web")
}

/// One of the web app's npm scripts.
pub fn script(name: &str, arguments: &[&str]) -> Result<()> {
    run(npm(&folder())
        .args(["run", "--silent", name, "--"])
        .args(arguments))
}

/// Arguments that make vitest write its counts to a file besides what it prints.
pub fn reporters(report: &Path) -> [String; 3] {
    [
        "--reporter=default".into(),
        "--reporter=json".into(),
        format!("--outputFile.json={}", report.display()),
    ]
}

/// Installs the packages of `package-lock.json` unless they are there already.
pub fn install() -> Result<()> {
    tools::node()?;
    let web = folder();
    let sources = [web.join("package.json"), web.join("package-lock.json")];
    unless_unchanged(
        "web-packages",
        &sources,
        &web.join("node_modules/.package-lock.json"),
        || run(npm(&web).args(["ci", "--loglevel=error"])),
    )
}

/// Builds `web/dist`, which the server carries, unless its sources are those of the last build.
pub fn build() -> Result<()> {
    let web = folder();
    let mut sources = vec![root().join("openapi.json")];
    for entry in fs::read_dir(&web).with_context(|| format!("read {}", web.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !matches!(name.as_str(), "node_modules" | "dist" | "e2e") && !name.ends_with(".tsbuildinfo") {
            sources.push(path);
        }
    }
    sources.sort();
    unless_unchanged("web-build", &sources, &web.join("dist/index.html"), || {
        script("build", &[])
    })
}

/// Does the work if `result` is missing or the sources differ from those of the last time.
fn unless_unchanged(
    name: &str,
    sources: &[PathBuf],
    result: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = scratch()?.join(format!("{name}.stamp"));
    let now = fingerprint(sources)?;
    if result.exists() && fs::read_to_string(&stamp).ok().as_ref() == Some(&now) {
        println!("   unchanged since the last time");
        return Ok(());
    }
    work()?;
    // Read anew: the work itself may have put files of its own in order.
    fs::write(&stamp, fingerprint(sources)?).with_context(|| format!("write {}", stamp.display()))
}

/// A hash of the names and contents of all files in the given files and folders. Generated code is left out.
pub fn fingerprint(sources: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for source in sources {
        hash_into(source, &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_into(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.ends_with("src/api/generated") {
        return Ok(());
    }
    path.hash(hasher);
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash_into(entry, hasher));
    }
    match fs::read(path) {
        Ok(bytes) => bytes.hash(hasher),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    }
    Ok(())
}
