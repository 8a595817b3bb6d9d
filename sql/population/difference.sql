-- difference: one row per key whose rows of `before` and `after` (row_key, stamp, content) are not the same,
-- counting repeated rows. is_unstamped: the stamps are the same, so only the content tells.
WITH both_sides AS (
    SELECT row_key, stamp, content, 1 AS after, 0 AS before FROM after
    UNION ALL
    SELECT row_key, stamp, content, 0 AS after, 1 AS before FROM before
),
by_content AS (
    SELECT row_key, stamp, SUM(after) AS after, SUM(before) AS before
    FROM both_sides
    GROUP BY row_key, stamp, content
    HAVING SUM(after) <> SUM(before)
),
by_stamp AS (
    SELECT row_key, stamp, SUM(after) AS after, SUM(before) AS before FROM by_content GROUP BY row_key, stamp
)
SELECT row_key, BOOL_AND(after = before) AS is_unstamped FROM by_stamp GROUP BY row_key
