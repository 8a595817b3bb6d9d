-- statistics.cases_by_month: cells of the cases with months; one row per measure, division, category
-- and month. As in statistics.cases: a case leaves in the first month without payment.
WITH sound AS (
    SELECT
        division_code, programme_code || '/' || category_code AS category,
        programme_code || '/' || COALESCE(exit_reason_code, 'unknown') AS reason,
        DATE_TRUNC('month', start_month) AS begins,
        DATE_TRUNC('month', end_month) + INTERVAL 1 MONTH AS leaves
    FROM case_dated
    WHERE (end_month IS NULL AND state_code <> '3') OR end_month >= start_month
)
SELECT 'cases_in_payment' AS measure, sound.division_code, category, month.month, COUNT(*) AS value
FROM sound
JOIN month ON begins <= month.first_day AND (leaves IS NULL OR leaves > month.first_day)
GROUP BY ALL
UNION ALL
SELECT 'cases_begun', sound.division_code, category, month.month, COUNT(*)
FROM sound
JOIN month ON begins = month.first_day
GROUP BY ALL
UNION ALL
SELECT 'cases_left', sound.division_code, reason, month.month, COUNT(*)
FROM sound
JOIN month ON leaves = month.first_day
GROUP BY ALL
