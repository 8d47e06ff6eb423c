-- A depot with every kind of thing that types are generated of.
create schema depot;
create type depot.size as enum ('small', 'large', 'extra large');
create type depot.address as (street text, zip text);
create domain depot.mail as varchar(200) check (value like '%@%');
create domain depot.colour as integer;
create function depot.as_json(depot.colour) returns json language sql immutable as $$ select to_json(to_hex($1)) $$;
create cast (depot.colour as json) with function depot.as_json(depot.colour) as implicit;
create table depot.halls (
  id bigint generated always as identity primary key, name varchar(40) not null, address depot.address, mail depot.mail,
  bays int[] not null default '{}', "opens at" time, "type" char(1) default 'a', colour depot.colour);
comment on table depot.halls is E'Halls\n\nWhere boxes are kept.';
comment on column depot.halls.bays is 'Free bays';
create table depot.boxes (
  code text primary key, hall_id bigint not null references depot.halls, size depot.size not null default 'small',
  weight numeric not null, volume double precision, note jsonb, label text generated always as (upper(code)) stored,
  packed_at timestamptz not null default now(), sealed boolean);
create table depot.seals (
  box text primary key references depot.boxes on delete cascade, number int not null, marks depot.size[]);
create view depot.heavy_boxes as select code, weight from depot.boxes where weight > 100;
create view depot.totals as select hall_id, count(*) as boxes, sum(weight) as weight from depot.boxes group by hall_id;
create function depot.title(depot.boxes) returns text language sql stable as $$ select 'Box ' || $1.code $$;
create function depot.heaviest(depot.halls) returns setof depot.boxes rows 1 language sql stable as
  $$ select * from depot.boxes where hall_id = $1.id order by weight desc limit 1 $$;
create function depot.boxes_of(hall bigint, lightest numeric default 0) returns setof depot.boxes language sql stable as
  $$ select * from depot.boxes where hall_id = hall and weight >= lightest $$;
create function depot.nearby(zip text) returns table (name text, distance numeric) language sql stable as
  $$ select 'Hall'::text, 1.5 $$;
create function depot.weigh(code text) returns numeric language sql stable as $$ select 1.0 $$;
create function depot.weigh(code text, unit text) returns text language sql stable as $$ select '1 kg'::text $$;
create function depot.pack(variadic codes text[]) returns void language sql as $$ select $$;
create function depot.read(json) returns jsonb language sql immutable as $$ select $1::jsonb $$;
create function depot.sizes() returns setof depot.size language sql stable as $$ select 'small'::depot.size $$;
insert into depot.halls (name, address, mail, bays, colour) values ('North', row('High Street', '1'), 'a@b.c', '{1,2}', 255);
insert into depot.boxes (code, hall_id, size, weight) values ('x', 1, 'extra large', 120.5);
