-- uneven_hash: one row per hash of a row (row_key, stamp, content) that `before_all` and `after_all` have not as
-- often. Engines group eight bytes in a fraction of the time and memory that whole keys take; that two rows which
-- differ have the same hash, and hide a change, is not to be expected in a thousand years of nights.
WITH both_sides AS (
    SELECT HASH(row_key, stamp, content) AS row_hash, 1 AS side FROM after_all
    UNION ALL
    SELECT HASH(row_key, stamp, content) AS row_hash, -1 AS side FROM before_all
)
SELECT row_hash FROM both_sides GROUP BY row_hash HAVING SUM(side) <> 0
