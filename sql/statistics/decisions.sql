-- statistics.decisions: cells of persons found eligible or unknown; one row per measure, hukou division and category.
SELECT 'decisions' AS measure, division_code, programme_code || '/' || decision_code AS category, COUNT(*) AS value
FROM decision
GROUP BY ALL
UNION ALL
SELECT 'eligible_by_category', division_code, programme_code || '/' || COALESCE(category_code, 'unknown'), COUNT(*)
FROM decision
WHERE decision_code = 'eligible'
GROUP BY ALL
UNION ALL
-- Who is eligible and has no case yet.
SELECT 'eligible_without_case', division_code, programme_code || '/' || COALESCE(category_code, 'unknown'), COUNT(*)
FROM decision
WHERE decision_code = 'eligible' AND NOT has_case
GROUP BY ALL
