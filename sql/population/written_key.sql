-- written_key: one row per key to be read again: a row of it was written since the pull before, or its stamps differ.
SELECT row_key FROM written
UNION
SELECT stamp_difference.row_key
FROM stamp_difference
SEMI JOIN swept ON swept.row_key = stamp_difference.row_key
