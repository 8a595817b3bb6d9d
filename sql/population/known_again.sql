-- known_again: one row per known row whose key is read again, and whose stamps are as before: only contents tell.
SELECT known_row.*
FROM known_row
SEMI JOIN reread_key ON reread_key.row_key IS NOT DISTINCT FROM known_row.row_key
ANTI JOIN stamp_difference ON stamp_difference.row_key IS NOT DISTINCT FROM known_row.row_key
