-- statistics.persons: cells of living persons where they live; one row per measure, residence code and category.
-- Groups may come in parts, of which one takes away what another has.
WITH grouped AS (
    SELECT
        division_code,
        CASE WHEN sex_code IN ('1', '2') THEN sex_code ELSE 'unknown' END AS sex,
        CASE WHEN is_here THEN 'here' WHEN NOT is_here THEN 'elsewhere' ELSE 'unknown' END AS hukou,
        CASE age_from
            WHEN 0 THEN '00-02' WHEN 3 THEN '03-05' WHEN 6 THEN '06-14' WHEN 15 THEN '15-17' WHEN 18 THEN '18-34'
            WHEN 35 THEN '35-49' WHEN 50 THEN '50-59' WHEN 60 THEN '60-64' WHEN 65 THEN '65-79' WHEN 80 THEN '80+'
            ELSE 'unknown'
        END AS age_group,
        value
    FROM person_group
)
SELECT
    CASE
        WHEN GROUPING(sex) = 0 THEN 'persons_by_sex'
        WHEN GROUPING(hukou) = 0 THEN 'persons_by_hukou'
        ELSE 'persons_by_age'
    END AS measure,
    division_code,
    COALESCE(sex, hukou, age_group) AS category,
    CAST(SUM(value) AS BIGINT) AS value
FROM grouped
GROUP BY GROUPING SETS ((division_code, sex), (division_code, hukou), (division_code, age_group))
HAVING SUM(value) > 0
