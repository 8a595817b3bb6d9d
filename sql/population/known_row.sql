-- known_row: one row per source row as last landed. A key that an increment names has the rows of the
-- newest such increment, none if it was deleted; every other key has its rows of the base.
WITH replaced AS (
    SELECT row_key, MAX(position) AS position FROM increment_row GROUP BY row_key
)
SELECT base_row.*
FROM base_row
ANTI JOIN replaced ON replaced.row_key IS NOT DISTINCT FROM base_row.row_key
UNION ALL
SELECT increment_row.* EXCLUDE (is_deleted)
FROM increment_row
JOIN replaced
    ON replaced.row_key IS NOT DISTINCT FROM increment_row.row_key AND replaced.position = increment_row.position
WHERE NOT increment_row.is_deleted
