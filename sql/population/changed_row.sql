-- changed_row: one row per row that was read and whose key has other rows than known.
SELECT read_row.*
FROM read_row
SEMI JOIN row_difference ON row_difference.row_key IS NOT DISTINCT FROM read_row.row_key
