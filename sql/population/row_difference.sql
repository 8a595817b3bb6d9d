-- row_difference: one row per key whose rows differ: in their stamps, or under the same ones (is_unstamped).
SELECT row_key, FALSE AS is_unstamped FROM stamp_difference
UNION ALL
SELECT row_key, is_unstamped FROM content_difference
