-- Addresses outside that are told what happens in an organisation, and what became of each telling.
create table webhooks.endpoints (
    org_id uuid not null,
    id uuid not null,
    url text not null check (length(url) between 1 and 2000),
    description text not null default '' check (length(description) <= 500),
    events text[] not null check (cardinality(events) between 1 and 50),
    disabled_at timestamptz,
    disabled_because text check (disabled_because in ('person', 'gone', 'failing')),
    failing_since timestamptz,
    created_by uuid,
    created_at timestamptz not null default now(),
    primary key (org_id, id),
    check ((disabled_at is null) = (disabled_because is null))
);
comment on column webhooks.endpoints.events is 'Kinds of events: exact, all of a module as purchasing.*, or *.';
comment on column webhooks.endpoints.failing_since is 'The first failure since something was taken; null: the last was taken, or there was none.';
select kernel.tenant_table('webhooks.endpoints', read => 'webhooks.endpoints.read', write => 'webhooks.endpoints.manage', api => '{}');

create table webhooks.messages (
    org_id uuid not null,
    id uuid not null,
    kind text not null,
    body text not null,
    created_at timestamptz not null default now(),
    primary key (org_id, id)
);
create index messages_oldest on webhooks.messages (org_id, created_at);
comment on table webhooks.messages is 'What endpoints are told: the same bytes, whoever it is and however often.';
comment on column webhooks.messages.id is 'The event''s; it is sent as webhook-id, so that whoever is told twice can know.';
select kernel.tenant_table('webhooks.messages', read => 'webhooks.endpoints.read', write => 'webhooks.endpoints.manage', api => '{}');

create table webhooks.deliveries (
    org_id uuid not null,
    id uuid not null,
    endpoint_id uuid not null,
    message_id uuid not null,
    kind text not null,
    state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    round int not null default 1,
    tries int not null default 0,
    attempts int not null default 0,
    next_at timestamptz,
    status int,
    error text,
    created_at timestamptz not null default now(),
    over_at timestamptz,
    primary key (org_id, id),
    foreign key (org_id, endpoint_id) references webhooks.endpoints (org_id, id) on delete cascade,
    foreign key (org_id, message_id) references webhooks.messages (org_id, id) on delete cascade
);
comment on column webhooks.deliveries.round is 'Grows when somebody has it sent again; jobs of earlier rounds do nothing.';
comment on column webhooks.deliveries.tries is 'Attempts of this round; attempts counts all.';
create index deliveries_of_endpoint on webhooks.deliveries (org_id, endpoint_id, id desc);
create index deliveries_of_message on webhooks.deliveries (org_id, message_id);
select kernel.tenant_table('webhooks.deliveries', read => 'webhooks.endpoints.read', write => 'webhooks.endpoints.manage', api => '{}');

create table webhooks.attempts (
    org_id uuid not null,
    delivery_id uuid not null,
    n int not null,
    at timestamptz not null,
    status int,
    duration_ms int not null,
    answer text not null default '',
    error text,
    primary key (org_id, delivery_id, n),
    foreign key (org_id, delivery_id) references webhooks.deliveries (org_id, id) on delete cascade
);
comment on column webhooks.attempts.answer is 'The first bytes of what the endpoint answered.';
select kernel.tenant_table('webhooks.attempts', read => 'webhooks.endpoints.read', write => 'webhooks.endpoints.manage', api => '{}');

-- What endpoints' messages are signed with, sealed. Out of reach of requests, so that the keeper of secrets can seal them anew.
create table webhooks.secrets (
    org_id uuid not null,
    id uuid not null,
    endpoint_id uuid not null,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    primary key (org_id, id)
);
create index secrets_of_endpoint on webhooks.secrets (org_id, endpoint_id);
select kernel.system_table('webhooks.secrets', 'secrets');

-- Notices that were written, so that a worker that dies writes none twice.
create table webhooks.notices (
    org_id uuid not null,
    id uuid not null,
    at timestamptz not null default now(),
    primary key (org_id, id)
);
select kernel.system_table('webhooks.notices', 'written beside messages of all organisations');

-- A new secret of an endpoint of the caller's organisation. Those before it stay good for a while, the last four of them.
create function webhooks.put_secret(p_endpoint uuid, p_id uuid, p_sealed bytea, p_keep_seconds double precision)
returns timestamptz language plpgsql security definer set search_path = '' as $$
declare
    org constant uuid := tenancy.org_id();
    good_until constant timestamptz := now() + pg_catalog.make_interval(secs => p_keep_seconds);
    kept int;
begin
    if org is null or not tenancy.can('webhooks.endpoints.manage') then
        raise exception 'a secret needs an organisation and the right to manage its endpoints';
    end if;
    delete from webhooks.secrets where org_id = org and endpoint_id = p_endpoint and expires_at <= now();
    update webhooks.secrets set expires_at = least(coalesce(expires_at, good_until), good_until)
    where org_id = org and endpoint_id = p_endpoint;
    get diagnostics kept = row_count;
    delete from webhooks.secrets where org_id = org and endpoint_id = p_endpoint and (p_keep_seconds <= 0 or id in (
        select s.id from webhooks.secrets s where s.org_id = org and s.endpoint_id = p_endpoint
        order by s.created_at desc, s.id desc offset 4));
    insert into webhooks.secrets (org_id, id, endpoint_id, sealed) values (org, p_id, p_endpoint, p_sealed);
    return case when kept > 0 and p_keep_seconds > 0 then good_until end;
end $$;
revoke all on function webhooks.put_secret from public;
grant execute on function webhooks.put_secret to service_role;

-- They go with their endpoint.
create function webhooks.forget_secrets() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    delete from webhooks.secrets where org_id = old.org_id and endpoint_id = old.id;
    return null;
end $$;
revoke all on function webhooks.forget_secrets from public;
create trigger forget_secrets after delete on webhooks.endpoints for each row execute function webhooks.forget_secrets();

-- Whether the organisation of the transaction may tell others what happens in it.
create function webhooks.allowed() returns boolean language sql stable security definer set search_path = '' as $$
    select coalesce((select tenancy.has_feature(o.plan, o.settings, 'webhooks')
        from tenancy.organizations o where o.id = tenancy.org_id()), false)
$$;
revoke all on function webhooks.allowed from public;
grant execute on function webhooks.allowed to service_role;
