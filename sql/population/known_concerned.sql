-- known_concerned: one row per known row of a concerned key.
SELECT known_stamp.row_key, known_stamp.stamp
FROM known_stamp
SEMI JOIN concerned_key ON concerned_key.row_key IS NOT DISTINCT FROM known_stamp.row_key
