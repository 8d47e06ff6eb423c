-- Gives back the jobs of workers that fell silent. A job that took its workers down too often is put aside.
update jobs.queue
set state = case when attempts < max_attempts then 'waiting' else 'dead' end,
    error = coalesce(error, jsonb_build_object(
        'code', 'jobs.worker_lost', 'message', 'The worker stopped before the job was finished.')),
    worker = null, lease_until = null, fence = fence + 1
where id in (
    select id from jobs.queue where state = 'running' and lease_until <= now() for update skip locked)
