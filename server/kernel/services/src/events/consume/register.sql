-- Declares consumers; those that are new and begin now stand behind what there is.
with declared as (
    insert into events.consumers as c (name)
    select name from unnest($1::text[]) name order by name
    on conflict (name) do update set seen_at = now()
    returning c.name, c.xmax = 0 as is_new)
insert into events.cursors (org_id, consumer, seq)
select s.org_id, d.name, s.last from declared d cross join events.sequences s
where d.is_new and d.name = any ($2)
on conflict do nothing
