-- A schema of the operator's own with organisations' tables: 1,000 organisations × 1,000 items, a line for each item.
create schema shop;
-- pgbench names the tables of a pipeline before its first statement has taken the role.
grant usage on schema shop to tenon_authenticator;
grant usage on schema shop to authenticated, service_role;
create table shop.customers (
  org_id uuid not null, id bigint not null, name text not null,
  primary key (org_id, id)
);
create table shop.items (
  org_id uuid not null, id bigint not null, number text not null, customer_id bigint not null, value numeric not null,
  created_at timestamptz not null,
  primary key (org_id, id),
  constraint items_customer foreign key (org_id, customer_id) references shop.customers
);
create index items_recent on shop.items (org_id, created_at desc);
create table shop.lines (
  org_id uuid not null, id bigint not null, item_id bigint not null, amount numeric not null,
  primary key (org_id, id),
  constraint lines_item foreign key (org_id, item_id) references shop.items
);
create index lines_item_index on shop.lines (org_id, item_id);
-- What is written during the measurement; emptied between rounds.
create table shop.notes (
  org_id uuid not null, id uuid not null default gen_random_uuid(), title text not null, value numeric not null,
  primary key (org_id, id)
);
select kernel.tenant_table('shop.' || name, read => 'purchasing.orders.read', write => 'purchasing.orders.read', api => '{select,insert}')
from unnest(array['customers', 'items', 'lines', 'notes']) name;

create function shop.newest(minimum numeric) returns json language sql stable as $$
  select json_build_object('items', count(*), 'value', sum(value))
  from (select value from shop.items where org_id = tenancy.org_id() and value >= minimum order by created_at desc limit 50) newest
$$;
grant execute on function shop.newest(numeric) to authenticated;

insert into shop.customers
select o.id, n, 'Customer ' || n || ' Ltd' from tenancy.organizations o, generate_series(1, 20) n;
insert into shop.items
select o.id, n, 'I-' || n, 1 + n % 20, 10 + 37 * n % 5000, now() - make_interval(mins => n * 7919 % 100000)
from tenancy.organizations o, generate_series(1, 1000) n;
insert into shop.lines
select o.id, n, n, n % 300 from tenancy.organizations o, generate_series(1, 1000) n;
