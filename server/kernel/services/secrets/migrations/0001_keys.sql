create table secrets.master_keys (
    keeper text not null,
    version int not null check (version > 0),
    -- A hash derived from the key, which tells nothing of it.
    fingerprint bytea not null,
    first_seen_at timestamptz not null,
    primary key (keeper, version)
);
select kernel.system_table('secrets.master_keys', 'fingerprints of master keys');

create table secrets.data_keys (
    -- Null: the installation's own.
    org_id uuid references tenancy.organizations on delete cascade,
    purpose text not null check (purpose <> ''),
    version int not null check (version > 0),
    -- The master key under which it is wrapped, and who keeps that: local or vault.
    keeper text not null,
    master int not null,
    wrapped bytea not null,
    created_at timestamptz not null,
    unique nulls not distinct (org_id, purpose, version)
);
create index on secrets.data_keys (keeper, master);
select kernel.system_table('secrets.data_keys', 'wrapped keys of organisations and purposes');
