-- statistics.decisions_by_month: cells of what was held at the end of each month; one row per measure, division,
-- category and month.
SELECT
    CASE decision_code WHEN 'eligible' THEN 'eligible' ELSE 'undecided' END AS measure,
    decision.division_code,
    programme_code || '/' || COALESCE(category_code, 'unknown') AS category,
    month.month,
    COUNT(*) AS value
FROM decision
JOIN month ON recorded_from <= month.last_day AND (recorded_to IS NULL OR recorded_to > month.last_day)
GROUP BY ALL
