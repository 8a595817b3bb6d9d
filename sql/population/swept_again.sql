-- swept_again: one row per row of the source of a key that was compared, or that has the rows that are known, one
-- of them stamped since $overlap_from.
WITH even AS (
    SELECT known_stamp.row_key, known_stamp.stamp
    FROM known_stamp
    ANTI JOIN uneven_bucket ON uneven_bucket.bucket = known_stamp.bucket
    ANTI JOIN concerned_key ON concerned_key.row_key IS NOT DISTINCT FROM known_stamp.row_key
)
SELECT row_key, stamp FROM swept_compared
UNION ALL
SELECT even.row_key, even.stamp
FROM even
SEMI JOIN (SELECT row_key FROM even WHERE stamp >= $overlap_from) AS overlap
    ON overlap.row_key IS NOT DISTINCT FROM even.row_key
