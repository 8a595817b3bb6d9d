-- statistics.cases: cells of the cases; one row per measure, division and category.
-- Cases whose months contradict each other are counted by state and by finding only.
-- State and finding are what was held on the business date (known_in_year); months may be known better later
-- (dated_in_year).
WITH known AS (
    SELECT * FROM known_in_year
),
dated AS (
    SELECT *, programme_code || '/' || category_code AS category FROM dated_in_year
)
SELECT 'cases_by_state' AS measure, division_code, programme_code || '/' || state_code AS category, COUNT(*) AS value
FROM known
GROUP BY ALL
UNION ALL
SELECT 'cases_by_finding', division_code, programme_code || '/' || COALESCE(finding_code, 'unknown'), COUNT(*)
FROM known
GROUP BY ALL
UNION ALL
SELECT 'cases_suspended', division_code, programme_code || '/' || category_code, COUNT(*)
FROM known
WHERE is_in_payment AND state_code = '2'
GROUP BY ALL
UNION ALL
SELECT 'cases_in_payment', division_code, category, COUNT(*) FROM dated WHERE is_in_payment GROUP BY ALL
UNION ALL
SELECT 'cases_by_age', division_code, programme_code || '/' || COALESCE(age_group, 'unknown'), COUNT(*)
FROM dated
LEFT JOIN beneficiary_age ON beneficiary_age.person_id = dated.person_id
WHERE is_in_payment
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
UNION ALL
SELECT 'cases_left_by_category', division_code, category, COUNT(*) FROM dated WHERE is_left GROUP BY ALL
