-- Whoever began to link a further way in has to be signed in until it is linked, in the session they began in.
alter table auth.provider_flows
    add column linking_session uuid references auth.sessions (id) on delete cascade;
create index provider_flows_linking_session on auth.provider_flows (linking_session) where linking_session is not null;
comment on column auth.provider_flows.linking_session is 'The session that linking began in; with its end nothing is linked.';
delete from auth.provider_flows where linking is not null;
alter table auth.provider_flows
    add constraint provider_flows_linking_in_session check ((linking is null) = (linking_session is null));
