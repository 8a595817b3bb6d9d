-- statistics.cases: cells of the cases; one row per measure, division and category.
-- A case is in payment in every month from its first to its last; it leaves in the first month without payment.
-- In payment at the end of last year + begun this year - left this year = in payment in this month; suspended ones
-- are among them. Cases whose months contradict each other are counted by state and by finding only.
-- State and finding are what was held on the business date (case_known); months may be known better later (case_dated).
WITH month AS (
    SELECT
        DATE_TRUNC('month', CAST($business_date AS DATE)) AS this_month,
        DATE_TRUNC('year', CAST($business_date AS DATE)) AS january
),
listed AS (
    SELECT *, FALSE AS is_dated FROM case_known
    UNION ALL
    SELECT *, TRUE AS is_dated FROM case_dated
),
examined AS (
    SELECT
        *,
        programme_code || '/' || category_code AS category,
        DATE_TRUNC('month', start_month) AS begins,
        DATE_TRUNC('month', end_month) + INTERVAL 1 MONTH AS leaves,
        (end_month IS NULL AND state_code <> '3') OR COALESCE(end_month >= start_month, FALSE) AS is_sound
    FROM listed
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
),
known AS (
    SELECT * FROM flagged WHERE NOT is_dated
),
dated AS (
    SELECT * FROM flagged WHERE is_dated
),
aged AS (
    SELECT
        dated.division_code, dated.programme_code,
        CASE WHEN person.birth_date <= CAST($business_date AS DATE)
            THEN DATE_SUB('year', person.birth_date, CAST($business_date AS DATE)) END AS age
    FROM dated
    LEFT JOIN population_person AS person ON person.person_id = dated.person_id
    WHERE dated.is_in_payment
)
SELECT 'cases_by_state' AS measure, division_code, programme_code || '/' || state_code AS category, COUNT(*) AS value
FROM known
GROUP BY ALL
UNION ALL
SELECT 'cases_by_finding', division_code, programme_code || '/' || COALESCE(finding_code, 'unknown'), COUNT(*)
FROM known
GROUP BY ALL
UNION ALL
SELECT 'cases_suspended', division_code, category, COUNT(*)
FROM known
WHERE is_in_payment AND state_code = '2'
GROUP BY ALL
UNION ALL
SELECT 'cases_in_payment', division_code, category, COUNT(*) FROM dated WHERE is_in_payment GROUP BY ALL
UNION ALL
SELECT 'cases_by_age', division_code, programme_code || '/' || CASE
    WHEN age IS NULL THEN 'unknown'
    WHEN age < 49 THEN '00-48' WHEN age < 55 THEN '49-54' WHEN age < 60 THEN '55-59' WHEN age < 65 THEN '60-64'
    WHEN age < 70 THEN '65-69' WHEN age < 80 THEN '70-79' ELSE '80+'
END, COUNT(*)
FROM aged
GROUP BY ALL
UNION ALL
SELECT 'cases_of_last_year', division_code, category, COUNT(*) FROM dated WHERE was_in_payment GROUP BY ALL
UNION ALL
SELECT 'cases_begun', division_code, category, COUNT(*) FROM dated WHERE is_begun GROUP BY ALL
UNION ALL
SELECT 'cases_left', division_code, programme_code || '/' || COALESCE(exit_reason_code, 'unknown'), COUNT(*)
FROM dated
WHERE is_left
GROUP BY ALL
