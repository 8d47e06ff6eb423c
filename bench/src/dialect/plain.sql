-- A database that knows nothing of Tenon: 200 organisations × 1,000 items, walls made of a claim.
create role bench_login login noinherit;
create role bench_user;
grant bench_user to bench_login;
create table customers (org_id bigint not null, id bigint not null, name text not null, primary key (org_id, id));
create table items (
  org_id bigint not null, id bigint not null, number text not null, customer_id bigint not null, value numeric not null,
  created_at timestamptz not null,
  primary key (org_id, id),
  foreign key (org_id, customer_id) references customers
);
create index on items (org_id, created_at desc);
insert into customers select o, n, 'Customer ' || n || ' Ltd' from generate_series(1, 200) o, generate_series(1, 20) n;
insert into items
select o, n, 'I-' || n, 1 + n % 20, 10 + 37 * n % 5000, now() - make_interval(mins => n * 7919 % 100000)
from generate_series(1, 200) o, generate_series(1, 1000) n;
alter table customers enable row level security;
alter table items enable row level security;
create policy own on customers using (org_id = (select (current_setting('request.jwt.claims', true)::json ->> 'org')::bigint));
create policy own on items using (org_id = (select (current_setting('request.jwt.claims', true)::json ->> 'org')::bigint));
grant select on customers, items to bench_user;
