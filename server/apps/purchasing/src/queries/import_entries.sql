-- Orders are $4, each once; an entry says by its place among them, from 1, which is its own.
select purchasing.load_entries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
