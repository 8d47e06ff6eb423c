-- What people are told in the app, what they want to be told and how, and what became of each message.

-- A person's own, in one organisation. What waits for a digest, or is told by other channels only, is not shown.
create table notifications.notices (
    org_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    kind text not null,
    title text not null,
    body text not null,
    action text not null,
    link text,
    language text not null,
    shown boolean not null,
    digest_at timestamptz,
    digested_at timestamptz,
    created_at timestamptz not null,
    read_at timestamptz,
    primary key (org_id, id)
);
create index notices_shown on notifications.notices (org_id, user_id, id desc) where shown;
create index notices_unread on notifications.notices (org_id, user_id) where shown and read_at is null;
create index notices_waiting on notifications.notices (org_id, user_id, digest_at) where digested_at is null and digest_at is not null;
comment on table notifications.notices is 'What people were told: for the bell in the app, and for the digest by mail.';
comment on column notifications.notices.link is 'A path below the organisation''s address.';
comment on column notifications.notices.digest_at is 'When the digest goes out that it waits for; null: it waits for none.';
-- Everybody their own. The server sees all in its jobs: it writes to others, and sweeps.
select kernel.tenant_table('notifications.notices', 'tenancy.organization.read', 'tenancy.organization.read', '{}',
    '(user_id = tenancy.user_id() or auth.role() = ''service_role'')');

-- What somebody chose, for all their organisations.
create table notifications.people (
    user_id uuid primary key references auth.users (id) on delete cascade,
    zone text,
    quiet_from time,
    quiet_until time,
    digest text not null default 'daily' check (digest in ('daily', 'weekly')),
    digest_hour int not null default 8 check (digest_hour between 0 and 23),
    digest_weekday int not null default 1 check (digest_weekday between 1 and 7),
    check ((quiet_from is null) = (quiet_until is null))
);
comment on column notifications.people.zone is 'An IANA name; null: the organisation''s.';
comment on column notifications.people.digest_weekday is 'Of a weekly digest: 1 is Monday.';
select kernel.shared_table('notifications.people', 'a person''s own, whatever organisations they belong to');

create table notifications.preferences (
    user_id uuid not null references auth.users (id) on delete cascade,
    kind text not null,
    channel text not null check (channel in ('app', 'mail', 'sms')),
    mode text not null check (mode in ('off', 'now', 'digest') and (mode <> 'digest' or channel = 'mail')),
    primary key (user_id, kind, channel)
);
comment on table notifications.preferences is 'Where there is no row, the kind''s own channels count.';
select kernel.shared_table('notifications.preferences', 'a person''s own, whatever organisations they belong to');

-- The record of a delivery. A message is armed (sending, committed) before anybody is asked to carry it and settled after; one whose end
-- nobody knows is uncertain, and never sent again by itself.
alter table notifications.messages
    add column org_id uuid,
    add column user_id uuid,
    add column notice_id uuid,
    add column proof boolean not null default true,
    add column provider text,
    add column provider_id text,
    add column armed_at timestamptz,
    add column first_armed_at timestamptz,
    add column asked int not null default 0,
    add column resolved_by uuid,
    add column resolved_at timestamptz,
    drop constraint messages_state_check,
    add constraint messages_state_check
        check (state in ('queued', 'sending', 'sent', 'failed', 'uncertain', 'kept', 'decoy'));
drop index notifications.messages_due;
create index messages_due on notifications.messages (next_attempt_at) where state in ('queued', 'sending', 'uncertain');
create index messages_open on notifications.messages (created_at desc, id desc) where state in ('uncertain', 'failed');
create index messages_org on notifications.messages (org_id) where org_id is not null;
comment on column notifications.messages.org_id is 'The organisation it is about; null: a message about somebody''s account.';
comment on column notifications.messages.proof is
    'Whether it holds a link or code that is as good as a password: then it is not kept to be sent again by hand; people ask for another.';
comment on column notifications.messages.next_attempt_at is
    'When it is due: to be sent (queued), to be given up as unsettled (sending), to be asked after at the provider (uncertain; null: never).';
comment on column notifications.messages.asked is 'How often the provider was asked what became of it.';
alter table notifications.messages alter column next_attempt_at drop not null;

-- Who is meant by a notification in the organisation at hand, with what they chose. Only people who may come in now.
create function notifications.recipients(
    p_kind text, p_people uuid[], p_permission text, p_roles text[], p_except uuid
) returns table (
    user_id uuid, email text, phone text, locale text, zone text, quiet_from time, quiet_until time,
    digest text, digest_hour int, digest_weekday int, app_mode text, mail_mode text, sms_mode text
) language plpgsql stable security definer set search_path = '' as $$
begin
    return query
        select u.id, case when u.email_confirmed_at is not null then u.email::text end,
            case when u.phone_confirmed_at is not null then u.phone::text end, u.raw_user_meta_data ->> 'locale',
            coalesce(p.zone, o.time_zone), p.quiet_from, p.quiet_until,
            coalesce(p.digest, 'daily'), coalesce(p.digest_hour, 8), coalesce(p.digest_weekday, 1),
            c.app_mode, c.mail_mode, c.sms_mode
        from tenancy.memberships m
        join tenancy.organizations o on o.id = m.org_id
        join auth.users u on u.id = m.user_id and u.deleted_at is null
        cross join lateral tenancy.resolve(m.user_id, m.org_id, null) r
        left join notifications.people p on p.user_id = m.user_id
        left join lateral (
            select max(f.mode) filter (where f.channel = 'app') as app_mode,
                max(f.mode) filter (where f.channel = 'mail') as mail_mode,
                max(f.mode) filter (where f.channel = 'sms') as sms_mode
            from notifications.preferences f where f.user_id = m.user_id and f.kind = p_kind) c on true
        where m.org_id = tenancy.org_id()
            and (p_permission is not null or m.role = any (p_roles) or m.user_id = any (p_people))
            and (m.role = any (p_roles) or m.user_id = any (p_people)
                or pg_catalog.strpos(r.permissions, ',' || p_permission || ',') > 0)
            and m.user_id is distinct from p_except
            and not r.suspended
        order by m.user_id;
end $$;
revoke all on function notifications.recipients from public;
grant execute on function notifications.recipients to service_role;

-- The organisation at hand, as a message names it.
create function notifications.sender() returns table (name text, slug text, language text)
language sql stable security definer set search_path = '' as $$
    select o.name, o.slug, o.language from tenancy.organizations o where o.id = tenancy.org_id()
$$;
revoke all on function notifications.sender from public;
grant execute on function notifications.sender to service_role;

-- Puts messages of the organisation at hand into the queue.
create function notifications.put_messages(
    p_ids uuid[], p_users uuid[], p_notices uuid[], p_channels text[], p_kinds text[], p_recipients text[], p_subjects text[],
    p_texts text[], p_htmls text[], p_states text[], p_errors text[], p_due timestamptz[], p_now timestamptz
) returns void language plpgsql security definer set search_path = '' as $$
begin
    if tenancy.org_id() is null then
        raise exception 'a message needs an organisation here';
    end if;
    insert into notifications.messages (org_id, proof, id, user_id, notice_id, channel, kind, recipient, subject, body_text,
        body_html, state, error, next_attempt_at, created_at)
    select tenancy.org_id(), false, m.*, p_now
    from unnest(p_ids, p_users, p_notices, p_channels, p_kinds, p_recipients, p_subjects, p_texts, p_htmls, p_states, p_errors,
        p_due) m;
end $$;
revoke all on function notifications.put_messages from public;
grant execute on function notifications.put_messages to service_role;
