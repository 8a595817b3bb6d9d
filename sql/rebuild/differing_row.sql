-- rebuild.differing_row: one row per key whose rows differ, repeated rows counted; rows without a key
-- (row_key is NULL) fall into one.
WITH gone AS (
    SELECT * FROM known_row
    EXCEPT ALL
    SELECT * FROM rebuilt_row
),
come AS (
    SELECT * FROM rebuilt_row
    EXCEPT ALL
    SELECT * FROM known_row
),
side AS (
    SELECT row_key, 1 AS known_rows, 0 AS rebuilt_rows FROM gone
    UNION ALL
    SELECT row_key, 0 AS known_rows, 1 AS rebuilt_rows FROM come
)
SELECT
    row_key,
    CAST(SUM(known_rows) AS BIGINT) AS known_rows,
    CAST(SUM(rebuilt_rows) AS BIGINT) AS rebuilt_rows
FROM side
GROUP BY row_key
