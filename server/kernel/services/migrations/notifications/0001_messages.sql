-- Mail on its way out. A message is written by the transaction that has something to tell, so that it goes out if and only if
-- that became true; workers send it afterwards, at least once.
create table notifications.messages (
    id uuid primary key,
    kind text not null,
    recipient text not null,
    subject text not null,
    body_text text not null,
    body_html text not null,
    state text not null check (state in ('queued', 'sent', 'failed', 'kept')),
    attempts int not null default 0,
    next_attempt_at timestamptz not null,
    error text,
    created_at timestamptz not null,
    sent_at timestamptz
);
create index messages_due on notifications.messages (next_attempt_at) where state = 'queued';
create index messages_kept on notifications.messages (created_at desc) where state = 'kept';
comment on table notifications.messages is 'Mail: queued, sent, failed, or kept for the mailbox of a development installation.';
comment on column notifications.messages.kind is 'module.message, for example identity.recovery.';
comment on column notifications.messages.body_text is 'Emptied once it is sent or given up: it may hold a link that is as good as a password.';
select kernel.system_table('notifications.messages', 'mail to people, who may belong to no organisation');
