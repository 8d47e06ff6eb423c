-- Locks the organisation's figures for the rest of the transaction and marks them as changed.
insert into purchasing.revisions as r (org_id, version)
values ($1, 1)
on conflict (org_id) do update set version = r.version + 1 where r.org_id = $1
