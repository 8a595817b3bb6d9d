-- statistics.persons: cells of living persons where they live; one row per measure, residence code and category.
WITH person AS (
    SELECT
        residence_division_code AS division_code,
        CASE WHEN sex_code IN ('1', '2') THEN sex_code ELSE 'unknown' END AS sex,
        CASE
            WHEN hukou_division_code IS NULL THEN 'unknown'
            WHEN hukou_division_code LIKE '11%' THEN 'here'
            ELSE 'elsewhere'
        END AS hukou,
        CASE WHEN birth_date <= CAST($business_date AS DATE)
            THEN DATE_SUB('year', birth_date, CAST($business_date AS DATE)) END AS age
    FROM population_person
    WHERE life_status_code = '1'
),
grouped AS (
    SELECT
        division_code, sex, hukou,
        CASE
            WHEN age IS NULL THEN 'unknown'
            WHEN age < 3 THEN '00-02' WHEN age < 6 THEN '03-05' WHEN age < 15 THEN '06-14' WHEN age < 18 THEN '15-17'
            WHEN age < 35 THEN '18-34' WHEN age < 50 THEN '35-49' WHEN age < 60 THEN '50-59'
            WHEN age < 65 THEN '60-64' WHEN age < 80 THEN '65-79' ELSE '80+'
        END AS age_group
    FROM person
)
SELECT
    CASE
        WHEN GROUPING(sex) = 0 THEN 'persons_by_sex'
        WHEN GROUPING(hukou) = 0 THEN 'persons_by_hukou'
        ELSE 'persons_by_age'
    END AS measure,
    division_code,
    COALESCE(sex, hukou, age_group) AS category,
    COUNT(*) AS value
FROM grouped
GROUP BY GROUPING SETS ((division_code, sex), (division_code, hukou), (division_code, age_group))
