-- subsidy.as_of_population_person: one row per person as on $as_of, from rows that were known later.
SELECT
    person_id,
    sex_code,
    birth_date,
    CASE WHEN death_date > $as_of THEN '1' ELSE life_status_code END AS life_status_code,
    marital_status_code,
    hukou_division_code,
    hukou_nature_code,
    hukou_nature_before_reform_code,
    CASE WHEN only_child_certificate_date > $as_of THEN NULL ELSE only_child_certificate_number END
        AS only_child_certificate_number,
    landing_id,
    landing_row
FROM population_person
