-- moved_key: one row per key whose rows of the base are not what is at the source: an increment named it, or a row
-- of it was written since.
SELECT row_key FROM increment_row
UNION
SELECT row_key FROM written
