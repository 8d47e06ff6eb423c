-- Who changed what stands in the organisation's trail. Entries arrive by a loader and are recorded as one import.
select
  audit.track('purchasing.orders', omit => '{number_key,utilisation,updated_at}'),
  audit.track('purchasing.suppliers', omit => '{name_key}'),
  audit.track('purchasing.alerts'),
  audit.track('purchasing.settings');
