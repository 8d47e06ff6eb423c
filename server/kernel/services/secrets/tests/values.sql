create table vaults.values (
    id uuid primary key,
    org_id uuid references tenancy.organizations on delete cascade,
    sealed bytea not null
);
select kernel.system_table('vaults.values', 'of a test');

-- As an earlier release kept them.
create table vaults.words (
    id uuid primary key,
    org_id uuid references tenancy.organizations on delete cascade,
    word text,
    sealed bytea
);
select kernel.system_table('vaults.words', 'of a test');
create table vaults.bytes (
    id int primary key,
    bytes bytea,
    sealed bytea
);
select kernel.system_table('vaults.bytes', 'of a test');
