//! Processor time of processes, from the kernel's description of them.

use anyhow::{Context, Result};

/// What the kernel counts in: a hundredth of a second on Linux.
const TICKS: f64 = 100.0;

/// The fields after the name, which may hold blanks: the first is the state.
fn stat(id: u32) -> Result<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    let fields = stat.rsplit_once(')').context("not a line of /proc")?.1;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn ticks(fields: &[String], range: std::ops::Range<usize>) -> f64 {
    let fields = fields.get(range).unwrap_or_default();
    fields.iter().filter_map(|field| field.parse::<f64>().ok()).sum()
}

/// Seconds of a process so far, in all its threads.
pub fn seconds(id: u32) -> Result<f64> {
    Ok(ticks(&stat(id)?, 11..13) / TICKS)
}

/// Seconds of a process and its children, with those that have ended.
pub fn seconds_of_family(id: u32) -> Result<f64> {
    let mut spent = ticks(&stat(id)?, 11..15);
    for entry in std::fs::read_dir("/proc")? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        // One that has ended meanwhile is among its parent's.
        if let Some(Ok(fields)) = number.map(stat)
            && fields.get(1).and_then(|parent| parent.parse().ok()) == Some(id)
        {
            spent += ticks(&fields, 11..15);
        }
    }
    Ok(spent / TICKS)
}
