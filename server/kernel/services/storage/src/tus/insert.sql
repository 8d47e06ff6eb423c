insert into storage.resumable_uploads (id, bucket_id, name, version, began_by, owner_id, upsert, mime_type, cache_control, user_metadata,
    told, length, growing, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
