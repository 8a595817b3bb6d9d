-- staging.mch_birth: one row per birth record known by the business date: the newest report of each record;
-- of equally new ones that of the latest drop, and of the same date's drops the one folded in now.
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
    PARTITION BY record_id
    ORDER BY source_updated_at DESC NULLS LAST, dropped_on DESC NULLS LAST, is_of_drop DESC
) = 1
ORDER BY record_id
