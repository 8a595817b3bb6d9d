-- statistics.quality_by_month: cells of the scores of the newest night of each month; one row per measure, division,
-- category (goal/dataset) and month.
SELECT 'quality_checked' AS measure, division_code, category, month, SUM(checked) AS value
FROM quality
GROUP BY ALL
HAVING SUM(checked) > 0
UNION ALL
SELECT 'quality_accepted', division_code, category, month, SUM(accepted)
FROM quality
GROUP BY ALL
HAVING SUM(accepted) > 0
UNION ALL
SELECT 'quality_failed_before', division_code, category, month, SUM(failed_before)
FROM quality
GROUP BY ALL
HAVING SUM(failed_before) > 0
UNION ALL
SELECT 'quality_failed_after', division_code, category, month, SUM(failed_after)
FROM quality
GROUP BY ALL
HAVING SUM(failed_after) > 0
