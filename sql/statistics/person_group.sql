-- statistics.person_group: one row per residence code, sex, whether the hukou is here and youngest age of the age group:
-- how many living persons there are. NULL where it is not known, of ages also where the birthday is to come.
-- All rows are grouped by these short values once; `statistics.persons` names the groups and rolls them up.
WITH person AS (
    SELECT
        residence_division_code AS division_code,
        sex_code,
        hukou_division_code LIKE '11%' AS is_here,
        -- Who was born on 29 February is a year older on 1 March of a common year.
        CASE WHEN birth_date <= CAST($business_date AS DATE)
            THEN year(CAST($business_date AS DATE)) - year(birth_date)
                - CASE WHEN month(birth_date) * 100 + day(birth_date)
                    > month(CAST($business_date AS DATE)) * 100 + day(CAST($business_date AS DATE)) THEN 1 ELSE 0 END
        END AS age
    FROM population_person
    WHERE life_status_code = '1'
)
SELECT
    division_code, sex_code, is_here,
    CASE
        WHEN age < 3 THEN 0 WHEN age < 6 THEN 3 WHEN age < 15 THEN 6 WHEN age < 18 THEN 15 WHEN age < 35 THEN 18
        WHEN age < 50 THEN 35 WHEN age < 60 THEN 50 WHEN age < 65 THEN 60 WHEN age < 80 THEN 65 WHEN age >= 80 THEN 80
    END AS age_from,
    COUNT(*) AS value
FROM person
GROUP BY ALL
