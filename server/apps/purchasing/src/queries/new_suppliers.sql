-- Which of the suppliers $2 the organisation does not have yet, as first written.
with named as materialized (
  select distinct on (lower(btrim(name))) btrim(name) as name, lower(btrim(name)) as key
  from unnest($2::text[]) with ordinality n (name, place)
  order by lower(btrim(name)), place
)
select n.name
from named n
where not exists (select from purchasing.suppliers s where s.org_id = $1 and s.name_key = n.key)
