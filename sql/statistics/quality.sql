-- statistics.quality: cells of the scores of the newest night, or of the newest one of each month; one row per measure,
-- division, category (goal/dataset, by month goal) and month (NULL where there is one night).
-- Failed before: of the rows received. Failed after: of those accepted.
WITH lower AS (
    -- What is above a division is told by its code: scores keep the codes of their night, in force or not.
    SELECT
        quality.*,
        CASE
            WHEN SUBSTR(division_code, 10, 3) <> '000' THEN SUBSTR(division_code, 1, 9) || '000'
            WHEN SUBSTR(division_code, 7, 3) <> '000' THEN SUBSTR(division_code, 1, 6) || '000000'
            WHEN SUBSTR(division_code, 3, 4) <> '0000' THEN SUBSTR(division_code, 1, 2) || '0000000000'
        END AS parent_code
    FROM quality
),
own AS (
    -- A score counts a division and all below it: its own rows are what those below it do not count.
    SELECT
        quality.division_code, quality.category, quality.month,
        MAX(quality.checked) - COALESCE(SUM(below.checked), 0) AS checked,
        MAX(quality.accepted) - COALESCE(SUM(below.accepted), 0) AS accepted,
        MAX(quality.failed_before) - COALESCE(SUM(below.failed_before), 0) AS failed_before,
        MAX(quality.failed_after) - COALESCE(SUM(below.failed_after), 0) AS failed_after
    FROM quality
    LEFT JOIN lower AS below
        ON below.parent_code = quality.division_code AND below.category = quality.category
        AND below.month IS NOT DISTINCT FROM quality.month
    GROUP BY ALL
)
SELECT 'quality_checked' AS measure, division_code, category, month, checked AS value
FROM own
WHERE checked > 0
UNION ALL
SELECT 'quality_accepted', division_code, category, month, accepted
FROM own
WHERE accepted > 0
UNION ALL
SELECT 'quality_failed_before', division_code, category, month, failed_before
FROM own
WHERE failed_before > 0
UNION ALL
SELECT 'quality_failed_after', division_code, category, month, failed_after
FROM own
WHERE failed_after > 0
