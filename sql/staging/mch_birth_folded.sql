-- staging.mch_birth: one row per birth record known by the business date: the newest report of each record,
-- that of the drop if both are equally new.
WITH report AS (
    SELECT earlier.*, 0 AS is_of_drop FROM earlier
    UNION ALL
    SELECT dropped.*, 1 AS is_of_drop FROM dropped
)
SELECT *
FROM report
QUALIFY ROW_NUMBER() OVER (PARTITION BY record_id ORDER BY source_updated_at DESC NULLS LAST, is_of_drop DESC) = 1
ORDER BY record_id
