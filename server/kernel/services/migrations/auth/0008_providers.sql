-- Sign-ins that went off to an outside provider and are to come back. Each is good once, for five minutes.
create table auth.provider_flows (
    state_hash bytea primary key,
    provider text not null,
    redirect_to text not null,
    redirect_uri text not null,
    nonce text not null,
    code_verifier text not null,
    browser_hash bytea not null,
    linking uuid references auth.users (id) on delete cascade,
    code_challenge text,
    code_challenge_method text check (code_challenge_method in ('s256', 'plain')),
    expires_at timestamptz not null,
    check ((code_challenge is null) = (code_challenge_method is null))
);
create index provider_flows_linking on auth.provider_flows (linking) where linking is not null;
create index provider_flows_expires on auth.provider_flows (expires_at);
comment on column auth.provider_flows.state_hash is 'SHA-256; the state itself is with the browser and the provider only.';
comment on column auth.provider_flows.redirect_to is 'Where the client wants people back, an allowed address.';
comment on column auth.provider_flows.redirect_uri is 'Where the provider sends people back to: this installation.';
comment on column auth.provider_flows.nonce is 'Must stand in the ID token, so that one made for another sign-in is no use.';
comment on column auth.provider_flows.code_verifier is 'Tenon''s own proof key towards the provider (RFC 7636).';
comment on column auth.provider_flows.browser_hash is 'SHA-256 of the cookie of the browser that began.';
comment on column auth.provider_flows.linking is 'Who gets a further way in; null for a sign-in.';
comment on column auth.provider_flows.code_challenge is 'Of the client that began, for the code it gets in the end.';
select kernel.system_table('auth.provider_flows', 'sign-ins on their way, across organisations');

-- Where addresses count as confirmed as they are typed, a provider's word about an address must not open a stranger's account
-- with it.
alter table auth.users add column email_proven_at timestamptz;
comment on column auth.users.email_proven_at is
    'When somebody showed that they read the address; null where it only counts as confirmed (auth.confirm_email off).';

alter table auth.flow_states
    add column method text not null default 'otp',
    add column sealed bytea;
comment on column auth.flow_states.method is 'What the person proved who they are with, for the claim amr.';
comment on column auth.flow_states.sealed is 'The provider''s tokens, encrypted with the code, which is not stored.';
