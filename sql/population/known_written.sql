-- known_written: one row per known row of a key of which a row was written since; of the base `known_row` has no
-- other rows.
SELECT row_key, stamp FROM known_row WHERE position = 0
UNION ALL
SELECT known_row.row_key, known_row.stamp
FROM known_row
SEMI JOIN written ON written.row_key = known_row.row_key
WHERE known_row.position > 0
