-- statistics.beneficiary_age: one row per person with a case or a life, with the age group on the business date; NULL
-- where the birthday is not known or to come.
WITH beneficiary AS (
    SELECT person_id FROM case_dated
    UNION
    SELECT person_id FROM life_known
),
aged AS (
    SELECT
        person.person_id,
        -- As in statistics/person_group.sql.
        CASE WHEN person.birth_date <= CAST($business_date AS DATE)
            THEN year(CAST($business_date AS DATE)) - year(person.birth_date)
                - CASE WHEN month(person.birth_date) * 100 + day(person.birth_date)
                    > month(CAST($business_date AS DATE)) * 100 + day(CAST($business_date AS DATE)) THEN 1 ELSE 0 END
        END AS age
    FROM population_person AS person
    JOIN beneficiary ON beneficiary.person_id = person.person_id
)
SELECT
    person_id,
    CASE
        WHEN age < 49 THEN '00-48' WHEN age < 55 THEN '49-54' WHEN age < 60 THEN '55-59' WHEN age < 65 THEN '60-64'
        WHEN age < 70 THEN '65-69' WHEN age < 80 THEN '70-79' WHEN age >= 80 THEN '80+'
    END AS age_group
FROM aged
