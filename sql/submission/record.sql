-- record: one row per candidate of a programme, ordered by programme and person: the facts of a report, from the staging
-- versions that decided. All programmes together, so that persons and children are read once.
-- Case number and start month come with the report itself (difference.sql).
-- A candidate without a person in staging keeps its row with empty facts: it is held back, not lost.
WITH parent_child AS (
    SELECT mother_person_id AS person_id, family_child.* FROM family_child WHERE mother_person_id IS NOT NULL
    UNION ALL
    SELECT father_person_id AS person_id, family_child.* FROM family_child
    WHERE father_person_id IS NOT NULL AND father_person_id IS DISTINCT FROM mother_person_id
),

-- The single child's death and disability: special assistance has exactly one child to tell of.
children_of AS (
    SELECT
        parent_child.person_id,
        count_if(is_alive) AS living_children_count,
        CASE WHEN count(*) = 1 THEN max(death_date) END AS child_death_date,
        CASE WHEN count(*) = 1 THEN max(disability_level_code) END AS child_disability_level_code
    FROM parent_child
    SEMI JOIN candidate ON parent_child.person_id = candidate.person_id
    GROUP BY parent_child.person_id
)

SELECT
    candidate.programme_code,
    candidate.person_id,
    person.name,
    person.sex_code,
    person.birth_date,
    person.id_type_code,
    person.id_number,
    person.hukou_division_code,
    -- Beijing merged the kinds of hukou about 2016; the nature before is what was decided on.
    coalesce(person.hukou_nature_before_reform_code, person.hukou_nature_code) AS hukou_nature_code,
    person.marital_status_code,
    candidate.category_code,
    coalesce(children_of.living_children_count, 0) AS living_children_count,
    person.only_child_certificate_number,
    children_of.child_death_date,
    children_of.child_disability_level_code,
    candidate.amount_fen
FROM candidate
LEFT JOIN population_person AS person ON candidate.person_id = person.person_id
LEFT JOIN children_of ON candidate.person_id = children_of.person_id
ORDER BY candidate.programme_code, candidate.person_id
