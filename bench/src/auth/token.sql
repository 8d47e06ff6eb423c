create table public.bench_note (id int primary key, body text not null);
insert into public.bench_note select n, 'note ' || n from generate_series(1, 1000) n;
alter table public.bench_note enable row level security;
create policy everybody on public.bench_note for select using (true);
grant usage on schema public to anon, authenticated;
grant select on public.bench_note to anon, authenticated;
