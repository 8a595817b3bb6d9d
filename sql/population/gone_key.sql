-- gone_key: one row per key that is known and was not read with all rows.
SELECT row_difference.row_key
FROM row_difference
ANTI JOIN read_row ON read_row.row_key IS NOT DISTINCT FROM row_difference.row_key
