-- known_compared: one row per known row of a key that is concerned or in an uneven bucket; any other key has at
-- the source the rows that are known.
SELECT row_key, stamp FROM known_concerned
UNION ALL
SELECT known_stamp.row_key, known_stamp.stamp
FROM known_stamp
SEMI JOIN uneven_bucket ON uneven_bucket.bucket = known_stamp.bucket
ANTI JOIN concerned_key ON concerned_key.row_key IS NOT DISTINCT FROM known_stamp.row_key
