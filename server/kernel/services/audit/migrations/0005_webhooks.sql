-- Whom an organisation tells what happens in it.
select audit.track('webhooks.endpoints', omit => '{failing_since}');
