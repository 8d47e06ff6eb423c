create table public.bench_page (id int primary key, body text not null, amount numeric not null, made timestamptz not null default now());
insert into public.bench_page (id, body, amount) select n, 'row ' || n, n * 1.25 from generate_series(1, 10000) n;
alter table public.bench_page enable row level security;
create policy people on public.bench_page for select to authenticated using (auth.uid() is not null);
grant usage on schema public to anon, authenticated;
grant select on public.bench_page to authenticated;
analyze public.bench_page;
