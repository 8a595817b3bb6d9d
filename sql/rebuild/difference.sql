-- rebuild.difference: one row: how many rows are added, removed and changed. Only rows with a key can change.
SELECT
    COALESCE(SUM(rebuilt_rows) FILTER (WHERE known_rows = 0 OR row_key IS NULL), 0) AS added,
    COALESCE(SUM(known_rows) FILTER (WHERE rebuilt_rows = 0 OR row_key IS NULL), 0) AS removed,
    COUNT(*) FILTER (WHERE row_key IS NOT NULL AND known_rows > 0 AND rebuilt_rows > 0) AS changed
FROM differing_row
