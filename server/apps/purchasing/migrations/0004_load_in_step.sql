-- The way in for the surveys of an import, with less work for each. Orders are p_orders, each once; p_places says for each
-- survey which of them, from 1, it is billed against. Gives how many surveys arrived: none when an order is not there any
-- more.
create or replace function purchasing.load_entries(
  p_org uuid, p_import uuid, p_at timestamptz, p_orders uuid[], p_ids uuid[], p_numbers text[], p_places int[],
  p_notes text[], p_days date[], p_amounts numeric[], p_surveyors text[]
) returns bigint language plpgsql as $$
declare
  many bigint;
begin
  -- What the foreign key would do for each survey.
  perform from purchasing.orders where org_id = p_org and id = any(p_orders) for key share;
  get diagnostics many = row_count;
  if many <> cardinality(p_orders) then
    return 0;
  end if;
  -- Lists unnested beside each other in a select list are read as they are; each in a FROM clause is copied first.
  insert into purchasing.entries (
    org_id, id, number, order_id, note, survey_date, amount, surveyor, state, import_id, created_at)
  select p_org, e.id, e.number, p_orders[e.place], e.note, e.day, e.amount, e.surveyor, 'certified', p_import, p_at
  from (
    select unnest(p_ids) as id, unnest(p_numbers) as number, unnest(p_places) as place, unnest(p_notes) as note,
      unnest(p_days) as day, unnest(p_amounts) as amount, unnest(p_surveyors) as surveyor) e;
  get diagnostics many = row_count;
  return many;
end $$;
select kernel.bulk_loader(
  'purchasing.load_entries(uuid, uuid, timestamptz, uuid[], uuid[], text[], int[], text[], date[], numeric[], text[])');

-- Letters are counted only where bytes leave a doubt: a number of at most 60 bytes has at most 60 letters.
alter table purchasing.entries drop constraint entries_number_check;
alter table purchasing.entries add constraint entries_number_check
  check (number <> '' and (octet_length(number) <= 60 or length(number) <= 60));
