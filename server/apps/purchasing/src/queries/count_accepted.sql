select count(*)
from imports.accepted_rows
where org_id = $1 and import_id = $2 and sheet = $3 and row_no between $4 and $5
