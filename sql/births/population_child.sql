-- births.population_child: one row per child born to (not adopted by) a family in the population database.
WITH mother AS (
    SELECT person_id, NULLIF(TRIM(id_number), '') AS id_number FROM population_person
)
SELECT
    family_child.relation_id,
    NULLIF(TRIM(family_child.birth_certificate_number), '') AS certificate_number,
    family_child.child_birth_date AS birth_date,
    family_child.child_sex_code AS sex_code,
    COALESCE(family_child.plural_order, 1) AS plural_order,
    family_child.parity,
    mother.id_number AS mother_id_number,
    family_child.mother_person_id,
    family_child.father_person_id,
    family_child.child_person_id
FROM family_child
LEFT JOIN mother ON mother.person_id = family_child.mother_person_id
WHERE family_child.adopted_date IS NULL
ORDER BY relation_id
