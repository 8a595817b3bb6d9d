-- staging of a partner's dataset: one row per key known by the business date: the newest report of each key;
-- of equally new ones that of the latest drop, and of the same date's drops the one folded in now.
-- `row_key` is the contract's key.
WITH report AS (
    SELECT earlier.*, 0 AS is_of_drop FROM earlier
    UNION ALL
    SELECT dropped.*, 1 AS is_of_drop FROM dropped
),

dated AS (
    SELECT report.*, landing.dropped_on
    FROM report
    LEFT JOIN landing ON landing.landing_id = report.landing_id
)
SELECT *
FROM dated
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY row_key
    ORDER BY source_updated_at DESC NULLS LAST, dropped_on DESC NULLS LAST, is_of_drop DESC
) = 1
ORDER BY row_key
