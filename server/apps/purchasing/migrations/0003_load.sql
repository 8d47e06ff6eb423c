-- The way in for the surveys of an import. Orders are p_orders, each once; p_places says for each survey which of them, from
-- 1, it is billed against. Gives how many surveys arrived: none when an order is not there any more.
create function purchasing.load_entries(
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
  insert into purchasing.entries (
    org_id, id, number, order_id, note, survey_date, amount, surveyor, state, import_id, created_at)
  select p_org, e.id, e.number, p_orders[e.place], e.note, e.day, e.amount, e.surveyor, 'certified', p_import, p_at
  from unnest(p_ids, p_numbers, p_places, p_notes, p_days, p_amounts, p_surveyors)
    e (id, number, place, note, day, amount, surveyor);
  get diagnostics many = row_count;
  return many;
end $$;
select kernel.bulk_loader(
  'purchasing.load_entries(uuid, uuid, timestamptz, uuid[], uuid[], text[], int[], text[], date[], numeric[], text[])');
grant insert on purchasing.entries to tenon_loader;
-- Locking a row takes the right to change it.
grant select, update on purchasing.orders to tenon_loader;
