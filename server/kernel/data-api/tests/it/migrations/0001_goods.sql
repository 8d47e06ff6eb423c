create table goods.makers (org_id uuid not null, id uuid not null, name text not null, primary key (org_id, id));
create table goods.items (
  org_id uuid not null, id uuid not null, name text not null, price numeric(10,2) not null default 0, maker_id uuid,
  primary key (org_id, id), unique (org_id, name));
alter table goods.items add foreign key (org_id, maker_id) references goods.makers (org_id, id);
select kernel.tenant_table('goods.makers', read => 'goods.items.read', write => 'goods.items.write', api => '{select,insert}');
select kernel.tenant_table('goods.items', read => 'goods.items.read', write => 'goods.items.write', api => '{select,insert,update,delete}');
create function goods.cheapest() returns numeric language sql stable as $$ select min(price) from goods.items $$;
grant execute on function goods.cheapest() to authenticated;
create function goods.slow() returns int language plpgsql as $$ begin perform pg_sleep(20); return 1; end $$;
create function goods.mark(word text) returns text language plpgsql as $$ begin
  perform set_config('response.headers', json_build_array(json_build_object('x-mark', word))::text, true);
  perform set_config('response.status', '202', true);
  return current_setting('request.method') || ' ' || current_setting('request.path');
end $$;
create function goods.zone() returns text language sql stable as $$ select current_setting('timezone') $$;
grant execute on function goods.slow(), goods.mark(text), goods.zone() to authenticated;
create function goods.flaky(fails_at int) returns table (n int, pad text, quotient int) language sql stable as
  $$ select n, repeat('x', 1000), 1 / (n - fails_at) from generate_series(1, 1000) n $$;
create function goods.endless(pad int) returns setof text language sql stable as
  $$ select repeat('x', pad) from (select generate_series(1, 100000000)) one_by_one $$;
create function goods.long_text(size int) returns text language sql stable as $$ select repeat('0123456789', size / 10) $$;
create domain goods."application/octet-stream" as bytea;
create function goods.long_bytes(size int) returns goods."application/octet-stream" language sql stable as
  $$ select convert_to(repeat('0123456789', size / 10), 'utf8') $$;
grant execute on function goods.flaky(int), goods.endless(int), goods.long_text(int), goods.long_bytes(int) to authenticated;
create function goods.padded(rows int) returns table (n int, pad text) language sql stable rows 100000 as
  $$ select n, repeat('x', 1000) from generate_series(1, rows) n $$;
grant execute on function goods.padded(int) to authenticated;
