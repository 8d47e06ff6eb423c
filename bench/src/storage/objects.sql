-- $2 objects below $3 in the bucket $1: one half in one folder, the other in a thousand and nine; neither in the order of their names.
insert into storage.objects (bucket_id, name, created_at, updated_at, version, metadata)
select $1::text,
  $3::text || case when n % 2 = 0 then 'letters/' || lpad((n::bigint * 7919 % 1000003)::text, 7, '0') || '.pdf'
    else 'years/' || lpad((n % 1009)::text, 4, '0') || '/' || lpad(n::text, 7, '0') || '.pdf' end,
  now() - n * interval '17 seconds', now() - (n::bigint * 31 % 1000003) * interval '17 seconds', 'bench-' || $1 || '-' || n,
  jsonb_build_object('eTag', '"' || md5(n::text) || '"', 'size', n, 'mimetype', 'application/pdf', 'cacheControl', 'max-age=3600',
    'lastModified', now(), 'contentLength', n, 'httpStatusCode', 200)
from generate_series(1, $2::int) n
