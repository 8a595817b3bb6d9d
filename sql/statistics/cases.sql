-- statistics.cases: cells of the cases known on the business date; one row per measure, division and category.
-- A case is in payment in every month from its first to its last; it leaves in the first month without payment.
-- In payment at the end of last year + begun this year - left this year = in payment in this month; suspended ones
-- are among them. Cases whose months contradict each other are counted by state and by finding only.
WITH month AS (
    SELECT
        DATE_TRUNC('month', CAST($business_date AS DATE)) AS this_month,
        DATE_TRUNC('year', CAST($business_date AS DATE)) AS january
),
examined AS (
    SELECT
        *,
        programme_code || '/' || category_code AS category,
        DATE_TRUNC('month', start_month) AS begins,
        DATE_TRUNC('month', end_month) + INTERVAL 1 MONTH AS leaves,
        (end_month IS NULL AND state_code <> '3') OR COALESCE(end_month >= start_month, FALSE) AS is_sound
    FROM case_known
    CROSS JOIN month
),
flagged AS (
    SELECT
        *,
        is_sound AND begins < january AND (leaves IS NULL OR leaves >= january) AS was_in_payment,
        is_sound AND begins BETWEEN january AND this_month AS is_begun,
        is_sound AND begins <= this_month AND leaves BETWEEN january AND this_month AS is_left,
        is_sound AND begins <= this_month AND (leaves IS NULL OR leaves > this_month) AS is_in_payment
    FROM examined
)
SELECT 'cases_by_state' AS measure, division_code, programme_code || '/' || state_code AS category, COUNT(*) AS value
FROM flagged
GROUP BY ALL
UNION ALL
SELECT 'cases_by_finding', division_code, programme_code || '/' || COALESCE(finding_code, 'unknown'), COUNT(*)
FROM flagged
GROUP BY ALL
UNION ALL
SELECT 'cases_in_payment', division_code, category, COUNT(*) FROM flagged WHERE is_in_payment GROUP BY ALL
UNION ALL
SELECT 'cases_suspended', division_code, category, COUNT(*)
FROM flagged
WHERE is_in_payment AND state_code = '2'
GROUP BY ALL
UNION ALL
SELECT 'cases_of_last_year', division_code, category, COUNT(*) FROM flagged WHERE was_in_payment GROUP BY ALL
UNION ALL
SELECT 'cases_begun', division_code, category, COUNT(*) FROM flagged WHERE is_begun GROUP BY ALL
UNION ALL
SELECT 'cases_left', division_code, programme_code || '/' || COALESCE(exit_reason_code, 'unknown'), COUNT(*)
FROM flagged
WHERE is_left
GROUP BY ALL
