-- births.open_child: one row per child of the population database that no exact pass linked and whose birth may be among
-- the open ones by its year, with what both sides may say of a child.
WITH year_of_birth AS (
    -- A birth of New Year's Eve may be written down a day later.
    SELECT DISTINCT EXTRACT(YEAR FROM birth_date + step.days) AS year
    FROM open_birth
    CROSS JOIN (SELECT UNNEST([-1, 0, 1]) AS days) AS step
),
open AS (
    SELECT *
    FROM population_child
    WHERE relation_id NOT IN (SELECT relation_id FROM exact_link WHERE pass_name IS NOT NULL)
        AND EXTRACT(YEAR FROM birth_date) IN (SELECT year FROM year_of_birth)
),
parent AS (
    SELECT person_id, NULLIF(TRIM(id_number), '') AS document, name, birth_date, NULLIF(TRIM(phone), '') AS phone,
        COALESCE(residence_division_code, hukou_division_code) AS division
    FROM population_person
    WHERE person_id IN (SELECT mother_person_id FROM open UNION SELECT father_person_id FROM open)
)
SELECT
    CAST(open.relation_id AS VARCHAR) AS side_id,
    CASE WHEN open.certificate_number IS NULL THEN [] ELSE [open.certificate_number] END AS certificate_numbers,
    CASE WHEN NOT is_provisional_name(family_child.child_name) THEN family_child.child_name END AS child_name,
    open.birth_date,
    CASE WHEN open.sex_code IN ('1', '2') THEN open.sex_code END AS sex_code,
    open.plural_order,
    open.plural_order > 1 OR COALESCE(family_child.plural_count > 1, FALSE) AS is_multiple,
    open.parity,
    mother.document AS mother_document,
    mother.name AS mother_name,
    mother.birth_date AS mother_birth_date,
    mother.phone AS mother_phone,
    mother.division AS mother_division,
    father.document AS father_document,
    father.name AS father_name,
    father.birth_date AS father_birth_date
FROM open
JOIN family_child ON family_child.relation_id = open.relation_id
LEFT JOIN parent AS mother ON mother.person_id = open.mother_person_id
LEFT JOIN parent AS father ON father.person_id = open.father_person_id
ORDER BY side_id
