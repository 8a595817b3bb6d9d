-- concerned_key: one row per key that has a row stamped since $since, or without a stamp, at the source or as known.
SELECT row_key FROM recent
UNION
SELECT row_key FROM known_stamp WHERE stamp IS NULL OR stamp >= $since
