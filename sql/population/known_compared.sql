-- known_compared: one row per known row of a key that is compared: it was written, or it is in a bucket of keys that
-- has lost rows.
SELECT row_key, stamp FROM known_written
UNION ALL
SELECT row_key, stamp FROM known_uneven
