-- Telling others what happens is for those who may let programs in.
update tenancy.plans set features = features || '{webhooks}', updated_at = now()
where 'api_keys' = any (features) and not 'webhooks' = any (features);
