-- known_again: one row per known row whose key is read again.
SELECT known_row.*
FROM known_row
SEMI JOIN reread_key ON reread_key.row_key IS NOT DISTINCT FROM known_row.row_key
