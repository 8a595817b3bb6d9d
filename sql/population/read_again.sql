-- read_again: one row per row that was read, and whose stamps are as before: only contents tell.
SELECT read_row.*
FROM read_row
ANTI JOIN stamp_difference ON stamp_difference.row_key IS NOT DISTINCT FROM read_row.row_key
