-- Takes a message that was armed and never settled, or one in doubt after which the provider can be asked.
update notifications.messages
set next_attempt_at = $2, asked = asked + case when state = 'uncertain' then 1 else 0 end
where id = (
    select id from notifications.messages
    where state = $3 and next_attempt_at <= $1
    order by next_attempt_at limit 1 for update skip locked)
returning id, kind, attempts, channel, hook, recipient, subject, body_text, body_html, proof, provider, first_armed_at, asked
