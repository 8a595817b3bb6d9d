-- statistics.quality: cells of the scores of the newest night; one row per measure, division and category
-- (goal/dataset). Failed before: of the rows received. Failed after: of those accepted.
SELECT 'quality_checked' AS measure, division_code, category, SUM(checked) AS value
FROM quality
GROUP BY ALL
HAVING SUM(checked) > 0
UNION ALL
SELECT 'quality_accepted', division_code, category, SUM(accepted)
FROM quality
GROUP BY ALL
HAVING SUM(accepted) > 0
UNION ALL
SELECT 'quality_failed_before', division_code, category, SUM(failed_before)
FROM quality
GROUP BY ALL
HAVING SUM(failed_before) > 0
UNION ALL
SELECT 'quality_failed_after', division_code, category, SUM(failed_after)
FROM quality
GROUP BY ALL
HAVING SUM(failed_after) > 0
