-- Orders of suppliers with surveys against them and tags, keyed as every tenant table is: (org_id, id).
create schema tenancy;
create function tenancy.org_id() returns uuid language sql stable as
  $$ select nullif(current_setting('test.org_id', true), '')::uuid $$;
create schema kernel;
create function kernel.raise(status int, code text, message text, details text default null, hint text default null)
returns void language plpgsql as $$ begin
  raise exception using errcode = 'TN' || status, message = message, constraint = code,
    detail = coalesce(details, ''), hint = coalesce(hint, '');
end $$;
create schema shop;
create type shop.level as enum ('on_track', 'warning', 'critical');
create table shop.suppliers (
  org_id uuid not null, id uuid not null default gen_random_uuid(), name text not null, city text,
  primary key (org_id, id), unique (org_id, name));
create table shop.orders (
  org_id uuid not null, id uuid not null default gen_random_uuid(), number text not null, supplier_id uuid,
  replaces_id uuid, value numeric(12,2) not null default 0, level shop.level not null default 'on_track',
  data jsonb, tags text[], search tsvector generated always as (to_tsvector('english', number)) stored, due date,
  primary key (org_id, id), unique (org_id, number),
  foreign key (org_id, supplier_id) references shop.suppliers (org_id, id));
alter table shop.orders add constraint orders_replaces_fkey
  foreign key (org_id, replaces_id) references shop.orders (org_id, id);
create table shop.entries (
  org_id uuid not null, id uuid not null default gen_random_uuid(), order_id uuid not null, amount numeric(12,2) not null,
  checker_id uuid, surveyor_id uuid,
  primary key (org_id, id), foreign key (org_id, order_id) references shop.orders (org_id, id));
create table shop.people (org_id uuid not null, id uuid not null, name text not null, primary key (org_id, id));
alter table shop.entries
  add constraint entries_checker_fkey foreign key (org_id, checker_id) references shop.people (org_id, id),
  add constraint entries_surveyor_fkey foreign key (org_id, surveyor_id) references shop.people (org_id, id);
create table shop.contracts (
  org_id uuid not null, id uuid not null, order_id uuid not null, title text not null,
  primary key (org_id, id), unique (org_id, order_id),
  foreign key (org_id, order_id) references shop.orders (org_id, id));
create table shop.labels (org_id uuid not null, id uuid not null, name text not null, primary key (org_id, id));
create table shop.order_labels (
  org_id uuid not null, order_id uuid not null, label_id uuid not null, primary key (org_id, order_id, label_id),
  foreign key (org_id, order_id) references shop.orders (org_id, id),
  foreign key (org_id, label_id) references shop.labels (org_id, id));
create view shop.late_orders as select org_id, id, number from shop.orders where due < '2025-01-01';
create table shop.notes (id serial primary key, body text default 'empty', "odd ""name""" text);
comment on table shop.orders is 'What was ordered.';

do $$
declare relation text;
begin
  foreach relation in array array['suppliers', 'orders', 'entries', 'people', 'contracts', 'labels', 'order_labels'] loop
    execute format('alter table shop.%I enable row level security', relation);
    execute format('create policy wall on shop.%I using (org_id = tenancy.org_id())', relation);
  end loop;
end $$;

create function shop.title(shop.orders) returns text language sql stable as $$ select 'Order ' || $1.number $$;
create function shop.open_entries(shop.orders) returns setof shop.entries language sql stable as
  $$ select * from shop.entries e where e.org_id = $1.org_id and e.order_id = $1.id and e.amount > 100 $$;
create function shop.add(a int, b int default 10) returns int language sql immutable as $$ select a + b $$;
create function shop.add_one(n int) returns int language sql immutable as $$ select n + 1 $$;
create function shop.greet(name text) returns text language sql immutable as $$ select 'hello ' || name $$;
create function shop.greet(name text, title text) returns text language sql immutable as $$ select 'hello ' || title || ' ' || name $$;
create function shop.same(a int) returns int language sql immutable as $$ select a $$;
create function shop.same(a text) returns text language sql immutable as $$ select a $$;
create function shop.nothing() returns void language plpgsql as $$ begin perform 1; end $$;
create function shop.numbers(most int) returns setof int language sql immutable as $$ select generate_series(1, most) $$;
create function shop.pair(out a int, out b text) language sql immutable as $$ select 1, 'x' $$;
create function shop.total(variadic amounts numeric[]) returns numeric language sql immutable as $$ select sum(v) from unnest(amounts) v $$;
create function shop.keys(json) returns setof text language sql immutable as $$ select json_object_keys($1) $$;
create function shop.size(bytea) returns int language sql immutable as $$ select length($1) $$;
create function shop.orders_above(lowest numeric) returns setof shop.orders language sql stable as
  $$ select * from shop.orders where value >= lowest $$;
create function shop.insert_note(body text) returns shop.notes language sql volatile as
  $$ insert into shop.notes (body) values (body) returning * $$;
create function shop.teapot() returns text language plpgsql stable as $$ begin
  perform set_config('response.status', '418', true);
  perform set_config('response.headers', '[{"X-Pot":"short"}]', true);
  return 'I am';
end $$;
create function shop.refuse() returns void language plpgsql as $$ begin
  raise exception using errcode = 'TN409', message = 'Already done', constraint = 'shop.already_done', hint = 'Stop.';
end $$;

insert into shop.suppliers (org_id, id, name, city) values
  ('00000000-0000-0000-0000-00000000000a', '10000000-0000-0000-0000-000000000001', 'Acme', 'Bonn'),
  ('00000000-0000-0000-0000-00000000000a', '10000000-0000-0000-0000-000000000002', 'Bolt', null),
  ('00000000-0000-0000-0000-00000000000b', '10000000-0000-0000-0000-000000000001', 'Other Acme', 'Rome');
insert into shop.orders (org_id, id, number, supplier_id, value, level, data, tags, due) values
  ('00000000-0000-0000-0000-00000000000a', '20000000-0000-0000-0000-000000000001', 'PO-1', '10000000-0000-0000-0000-000000000001', 100, 'on_track', '{"a":{"b":[1,2]},"c":"x"}', '{red,blue}', '2024-05-01'),
  ('00000000-0000-0000-0000-00000000000a', '20000000-0000-0000-0000-000000000002', 'PO-2', '10000000-0000-0000-0000-000000000002', 250.5, 'warning', null, '{}', '2026-05-01'),
  ('00000000-0000-0000-0000-00000000000a', '20000000-0000-0000-0000-000000000003', 'PO-3', null, 999, 'critical', '{"c":"y"}', null, null),
  ('00000000-0000-0000-0000-00000000000b', '20000000-0000-0000-0000-000000000001', 'PO-B', '10000000-0000-0000-0000-000000000001', 5, 'on_track', null, null, null);
update shop.orders set replaces_id = '20000000-0000-0000-0000-000000000001' where number = 'PO-2';
insert into shop.people (org_id, id, name) values
  ('00000000-0000-0000-0000-00000000000a', '30000000-0000-0000-0000-000000000001', 'Ann');
insert into shop.entries (org_id, id, order_id, amount, checker_id) values
  ('00000000-0000-0000-0000-00000000000a', '40000000-0000-0000-0000-000000000001', '20000000-0000-0000-0000-000000000001', 60, '30000000-0000-0000-0000-000000000001'),
  ('00000000-0000-0000-0000-00000000000a', '40000000-0000-0000-0000-000000000002', '20000000-0000-0000-0000-000000000001', 140, null),
  ('00000000-0000-0000-0000-00000000000b', '40000000-0000-0000-0000-000000000001', '20000000-0000-0000-0000-000000000001', 7, null);
insert into shop.contracts (org_id, id, order_id, title) values
  ('00000000-0000-0000-0000-00000000000a', '50000000-0000-0000-0000-000000000001', '20000000-0000-0000-0000-000000000001', 'Frame');
insert into shop.labels (org_id, id, name) values
  ('00000000-0000-0000-0000-00000000000a', '60000000-0000-0000-0000-000000000001', 'urgent'),
  ('00000000-0000-0000-0000-00000000000b', '60000000-0000-0000-0000-000000000001', 'secret');
insert into shop.order_labels (org_id, order_id, label_id) values
  ('00000000-0000-0000-0000-00000000000a', '20000000-0000-0000-0000-000000000001', '60000000-0000-0000-0000-000000000001'),
  ('00000000-0000-0000-0000-00000000000b', '20000000-0000-0000-0000-000000000001', '60000000-0000-0000-0000-000000000001');
insert into shop.notes (body) values ('one'), ('two');
