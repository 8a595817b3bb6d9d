-- statistics.births: cells of the births of the year up to the business date; one row per measure, responsible division
-- and category.
WITH birth AS (
    SELECT
        division_code, class_code,
        CASE WHEN sex_code IN ('1', '2') THEN sex_code ELSE 'unknown' END AS sex,
        -- Only MCH reports births; a child that it does not know was not reported late.
        CASE WHEN mch_record_id IS NULL THEN 'not_reported' ELSE report_delay_code END AS delay
    FROM birth_match
    WHERE birth_date BETWEEN DATE_TRUNC('year', CAST($business_date AS DATE)) AND CAST($business_date AS DATE)
)
SELECT
    CASE
        WHEN GROUPING(class_code) = 0 THEN 'births_by_class'
        WHEN GROUPING(sex) = 0 THEN 'births_by_sex'
        ELSE 'births_by_delay'
    END AS measure,
    division_code,
    COALESCE(class_code, sex, delay) AS category,
    COUNT(*) AS value
FROM birth
GROUP BY GROUPING SETS ((division_code, class_code), (division_code, sex), (division_code, delay))
