-- What becomes of a place whose next events failed, unless somebody else was there since. Several: they come one by one. One: it waits, or is
-- put aside.
with place as materialized (
    select * from events.cursors
    where org_id = $1 and consumer = $2 and seq = $3 and attempts = $4
    for update skip locked),
alone as (select * from place where $5),
over as (select * from alone where attempts + 1 >= $8),
put as (
    insert into events.aside (org_id, id, consumer, seq, event_id, kind, subject, payload, actor, at, attempts, error)
    select o.org_id, $10, $2, o.seq, o.id, o.kind, o.subject, o.payload, o.actor, o.at, over.attempts + 1, $7
    from over join events.outbox o on o.org_id = $1 and o.seq = $6
    on conflict do nothing)
update events.cursors c set
    seq = case when exists (select from over) then $6 else c.seq end,
    singly_until = case when $5 then c.singly_until else $6 end,
    attempts = case when not $5 or exists (select from over) then 0 else c.attempts + 1 end,
    error = case when exists (select from over) then null else $7 end,
    next_at = case when not $5 or exists (select from over) then null else now() + make_interval(secs => $9) end
from place where c.org_id = place.org_id and c.consumer = place.consumer
returning $5 and c.attempts = 0
