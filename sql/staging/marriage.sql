-- staging.marriage: one row per received marriage; every column passes from `typed` unchanged.
SELECT typed.marriage_id
FROM typed
