-- What is swept is found without reading all there is. Columns that a refresh changes have no index: it stays a change in place.
create index refresh_tokens_created on auth.refresh_tokens (created_at);
create index sessions_not_after on auth.sessions (not_after) where not_after is not null;

comment on column auth.sessions.ip is 'Where it was opened or refreshed last, as far as server.trusted_proxies tells.';
comment on column auth.audit_log_entries.ip_address is 'Of the client whose request it was; empty for what nobody asked for.';
