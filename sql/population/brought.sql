-- brought: one row per known row that an increment brought, and whose key was not written since.
SELECT known_row.row_key, known_row.stamp
FROM known_row
ANTI JOIN written ON written.row_key = known_row.row_key
WHERE known_row.position > 0
