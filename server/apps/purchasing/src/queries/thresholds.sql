select warning, critical from purchasing.settings where org_id = $1
