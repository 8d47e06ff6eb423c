-- Seals: a chain of hashes for each organisation over its committed entries, made afterwards, so that no writer waits for another.
-- What a seal covers is complete: it takes the entries of transactions older than any that still runs.

create table audit.seals (
    org_id uuid not null,
    seq bigint not null,
    class text not null,
    month date not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    count int not null,
    ids uuid[],
    digests bytea,
    content bytea not null,
    sealed_at timestamptz not null,
    hash bytea not null,
    primary key (org_id, seq)
);
comment on column audit.seals.ids is 'The entries in their order; null once their month was dropped, when the hash stays as an anchor';
comment on column audit.seals.digests is 'Their hashes, 32 bytes each';
comment on column audit.seals.content is 'Hash of ids and digests';
comment on column audit.seals.hash is 'Hash of the seal before, of content and of the columns above';
create index seals_month on audit.seals (class, month) where ids is not null;

create table audit.heads (
    org_id uuid primary key,
    seq bigint not null,
    hash bytea not null
);
comment on table audit.heads is 'The last seal of each organisation: its end cannot be cut off without touching this';

create table audit.sealing (
    only_one boolean primary key default true check (only_one),
    horizon bigint not null,
    since timestamptz not null,
    moved_at timestamptz not null
);
comment on column audit.sealing.horizon is 'Entries of transactions before this are sealed';
comment on column audit.sealing.since is 'Moved when the database came to a cluster that counts transactions anew: what is older is sealed';
insert into audit.sealing (horizon, since, moved_at) values (0, '-infinity', now());
select
    kernel.system_table('audit.seals', 'written by functions of the owner'),
    kernel.system_table('audit.heads', 'written by functions of the owner'),
    kernel.system_table('audit.sealing', 'one row, locked by whoever seals');
revoke insert, update, delete on audit.seals, audit.heads, audit.sealing from tenon_system;

create function audit.micros(at timestamptz) returns text language sql immutable as $$
    select (extract(epoch from at) * 1000000)::bigint::text
$$;

-- The hash of an entry: of its columns as texts, each with its length before it, so that no two entries look alike. The same is
-- computed by `tenon audit verify`, which trusts no function here.
create function audit.digest(variadic parts text[]) returns bytea language sql immutable as $$
    select sha256(convert_to(string_agg(coalesce(octet_length(part) || ':' || part, '-'), ',' order by place), 'UTF8'))
    from unnest(parts) with ordinality p (part, place)
$$;

create function audit.add_seal(
    p_org uuid, p_class text, p_month date, p_first timestamptz, p_last timestamptz, p_ids uuid[], p_digests bytea
) returns void language plpgsql as $$
declare
    head record;
    content constant bytea := sha256(convert_to(array_to_string(p_ids, ','), 'UTF8') || p_digests);
    sealed constant timestamptz := clock_timestamp();
    link bytea;
begin
    insert into audit.heads (org_id, seq, hash) values (p_org, 0, '') on conflict do nothing;
    select h.seq + 1 as seq, h.hash into head from audit.heads h where h.org_id = p_org for update;
    link := sha256(head.hash || content || convert_to(concat_ws('|', p_org, head.seq, p_class, p_month, cardinality(p_ids),
        audit.micros(p_first), audit.micros(p_last), audit.micros(sealed)), 'UTF8'));
    insert into audit.seals (org_id, seq, class, month, first_at, last_at, count, ids, digests, content, sealed_at, hash)
    values (p_org, head.seq, p_class, p_month, p_first, p_last, cardinality(p_ids), p_ids, p_digests, content, sealed, link);
    update audit.heads h set seq = head.seq, hash = link where h.org_id = p_org;
end $$;

-- Seals what is complete, and says how many entries; one server at a time, the others have nothing to do.
create function audit.seal() returns bigint
language plpgsql security definer set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
    state record;
    upto constant bigint := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint;
    counted_anew boolean;
    part text;
    batch record;
    sealed bigint := 0;
begin
    select * into state from audit.sealing for update skip locked;
    if not found or state.horizon = upto then
        return 0;
    end if;
    -- A restored database, in a cluster whose transactions have lower numbers: whatever has no seal gets one.
    counted_anew := state.horizon > upto;
    for part in
        select p.name from audit.parts p
        where p.gone_at is null and (counted_anew or p.month is null or p.month <= pg_catalog.now() + interval '1 day'
            -- No transaction is as old as that.
            and p.month + interval '1 month' >= state.moved_at - interval '32 days')
        order by p.class, p.month nulls first
    loop
        for batch in execute pg_catalog.format($query$
            select e.org_id, e.class, e.month, min(e.at) as first_at, max(e.at) as last_at,
                array_agg(e.id order by e.place) as ids, string_agg(e.digest, '' order by e.place) as digests
            from (
                select e.org_id, e.class, e.at, e.id, date_trunc('month', e.at)::date as month,
                    audit.digest(e.org_id::text, audit.micros(e.at), e.class, e.actor_kind, e.actor::text, e.visit::text, e.action,
                        e.relation, e.row_key, e.changes::text, e.details::text, e.tags::text, e.origin::text) as digest,
                    row_number() over (partition by e.org_id, date_trunc('month', e.at) order by e.tx, e.at, e.id) as place
                from audit.%I e
                where case when $4 then not exists (select from audit.seals s where s.org_id = e.org_id and e.id = any (s.ids))
                    else e.at > $3 end and ($4 or e.tx >= $1 and e.tx < $2)
            ) e
            group by e.org_id, e.class, e.month, (e.place - 1) / 1000
            order by e.org_id, e.month, min(e.place)
            $query$, part) using state.horizon, upto, state.since, counted_anew
        loop
            perform audit.add_seal(batch.org_id, batch.class, batch.month, batch.first_at, batch.last_at, batch.ids, batch.digests);
            sealed := sealed + pg_catalog.cardinality(batch.ids);
        end loop;
    end loop;
    update audit.sealing set horizon = upto, moved_at = pg_catalog.now(),
        since = case when counted_anew then pg_catalog.now() else since end;
    return sealed;
end $$;

-- Drops the partitions whose time is over. Their seals stay, without what only entries need.
create function audit.retire(p_now timestamptz) returns int
language plpgsql security definer set search_path = '' set timezone = 'UTC' set lock_timeout = '3s' as $$
declare
    state record;
    part record;
    waiting boolean;
    gone int := 0;
    -- Both clocks have to say so: one that is wrong destroys nothing.
    present constant timestamptz := least(p_now, pg_catalog.now());
begin
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('tenon audit parts'));
    select * into state from audit.sealing;
    for part in
        select p.name, p.class, p.month, 'entries_' || p.class as parent from audit.parts p join audit.classes c on c.name = p.class
        where p.gone_at is null and p.month + interval '1 month' + pg_catalog.make_interval(days => c.days) <= present
        order by p.month
    loop
        execute pg_catalog.format('select exists (select from audit.%I where tx >= $1 and at > $2)', part.name)
            into waiting using state.horizon, state.since;
        if waiting then
            continue;
        end if;
        delete from kernel.tables t where t.relation = pg_catalog.format('audit.%I', part.name)::regclass;
        execute pg_catalog.format('alter table audit.%I detach partition audit.%I', part.parent, part.name);
        execute pg_catalog.format('drop table audit.%I', part.name);
        update audit.parts p set gone_at = present where p.name = part.name;
        update audit.seals s set ids = null, digests = null
        where s.class = part.class and s.month = part.month and s.ids is not null;
        gone := gone + 1;
    end loop;
    return gone;
end $$;
grant execute on function audit.seal(), audit.retire(timestamptz) to tenon_system;

-- With an organisation goes what was sealed of it.
create function audit.forget() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    delete from audit.seals s where s.org_id = old.id;
    delete from audit.heads h where h.org_id = old.id;
    return null;
end $$;
create trigger audit_forget after delete on tenancy.organizations for each row execute function audit.forget();
