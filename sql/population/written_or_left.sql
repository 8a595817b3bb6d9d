-- written_or_left: one row per row of the source that was written since the pull before, or is left in a bucket that
-- has lost rows.
SELECT row_key, stamp FROM written
UNION ALL
SELECT left_row.row_key, left_row.stamp FROM left_row ANTI JOIN written ON written.row_key = left_row.row_key
