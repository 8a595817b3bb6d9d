-- subsidy.as_of_family_child: one row per child who was there on $as_of, as on that day, from rows that were known later.
SELECT
    relation_id,
    mother_person_id,
    father_person_id,
    child_birth_date,
    child_sex_code,
    adopted_date,
    plural_count,
    policy_attribute_code,
    CASE WHEN death_date > $as_of THEN TRUE ELSE is_alive END AS is_alive,
    CASE WHEN death_date > $as_of THEN NULL ELSE death_date END AS death_date,
    CASE WHEN death_date > $as_of THEN NULL ELSE death_proof_code END AS death_proof_code,
    CASE WHEN disability_date > $as_of THEN NULL ELSE disability_level_code END AS disability_level_code,
    CASE WHEN disability_date > $as_of THEN NULL ELSE disability_certificate_number END AS disability_certificate_number,
    landing_id,
    landing_row
FROM family_child
-- A child without a date was always there: the rules of rows ask for it.
WHERE coalesce(adopted_date, child_birth_date) <= $as_of OR coalesce(adopted_date, child_birth_date) IS NULL
