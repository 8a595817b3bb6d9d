-- deleted_key: one row per key that is known but not at the source any more.
SELECT stamp_difference.row_key
FROM stamp_difference
ANTI JOIN swept ON swept.row_key IS NOT DISTINCT FROM stamp_difference.row_key
