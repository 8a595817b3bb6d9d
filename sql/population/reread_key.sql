-- reread_key: one row per key to be read again: its stamps differ, are in the overlap, or are missing, or a row of it was
-- written since the pull before, where that is known.
SELECT row_key FROM stamp_difference WHERE EXISTS (
    SELECT 1 FROM swept WHERE swept.row_key IS NOT DISTINCT FROM stamp_difference.row_key
)
UNION
SELECT row_key FROM swept WHERE stamp IS NULL OR stamp >= $overlap_from
UNION
SELECT row_key FROM written
