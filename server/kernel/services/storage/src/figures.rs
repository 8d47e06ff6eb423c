//! How much is kept.

use tenon_sdk::{Kernel, SystemTx, telemetry::metrics::Gauge};

/// Registers the files of all organisations, as their quotas count them.
pub(crate) fn watch(kernel: &Kernel) {
    let metrics = kernel.metrics();
    let bytes = metrics.register(
        "storage_bytes",
        "Bytes of the files of all organisations",
        Gauge::<i64>::default(),
    );
    let files = metrics.register(
        "storage_files",
        "Files of all organisations",
        Gauge::<i64>::default(),
    );
    let db = kernel.db().clone();
    metrics.look("storage", move || {
        let (db, bytes, files) = (db.clone(), bytes.clone(), files.clone());
        async move {
            let sql = "select coalesce(sum(bytes), 0)::bigint, coalesce(sum(objects), 0)::bigint from storage.usage";
            if let Some(row) = SystemTx::read_opt(&db, "figures of files", sql, &[]).await? {
                bytes.set(row.try_get(0)?);
                files.set(row.try_get(1)?);
            }
            Ok(())
        }
    });
}
