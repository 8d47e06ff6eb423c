-- Text messages beside mail, messages that a hook sends, and decoys: where somebody asks for a mail to an address that nobody has,
-- the same is written as for one that somebody has, so that the time it takes tells nothing.
alter table notifications.messages
    add column channel text not null default 'mail' check (channel in ('mail', 'sms')),
    add column hook jsonb,
    drop constraint messages_state_check,
    add constraint messages_state_check check (state in ('queued', 'sent', 'failed', 'kept', 'decoy'));
create index messages_created on notifications.messages (created_at);
comment on table notifications.messages is
    'Mail and text messages: queued, sent, failed, or kept for the mailbox of a development installation.';
comment on column notifications.messages.hook is 'What the operator''s hook is told that sends it instead; emptied with the body.';
