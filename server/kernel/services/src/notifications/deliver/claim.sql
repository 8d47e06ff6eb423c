-- Arms the message that is due first. Once this is committed, whoever finds it in this state later knows that somebody began to send it.
update notifications.messages
set state = 'sending', attempts = attempts + 1, armed_at = $1, first_armed_at = coalesce(first_armed_at, $1), next_attempt_at = $2,
    provider = case when hook is not null then 'hook' when channel = 'sms' then $3 else $4 end
where id = (
    select id from notifications.messages
    where state = 'queued' and next_attempt_at <= $1 and (hook is not null or channel <> all ($5::text[]))
    order by next_attempt_at limit 1 for update skip locked)
returning id, kind, attempts, channel, hook, recipient, subject, body_text, body_html, proof, provider, first_armed_at, asked
