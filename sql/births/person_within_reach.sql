-- births.person_within_reach: one row per person that births can ask for, with the columns that they ask for; all nullable
-- but person_id.
--
-- Of a child within reach they ask for the mother, the father and the child itself, by number of the person; of a birth
-- for whom its documents of the mother and the father name. Everyone else changes nothing.
WITH concerned AS (
    SELECT mother_person_id AS person_id FROM child_within_reach
    UNION
    SELECT father_person_id FROM child_within_reach
    UNION
    SELECT child_person_id FROM child_within_reach
),
stated_document AS (
    SELECT mother_id_number AS id_number FROM folded_birth
    UNION
    SELECT TRIM(father_id_number) FROM mch_birth
)
SELECT person_id, id_number, name, birth_date, phone, residence_division_code, hukou_division_code
FROM population_person
WHERE person_id IN (SELECT person_id FROM concerned)
    -- Blanks that TRIM takes off are ' ' or of several bytes. To look for these costs half of trimming everyone's number.
    OR CASE
        WHEN STRLEN(id_number) = LENGTH(id_number) AND NOT CONTAINS(id_number, ' ') THEN id_number
        ELSE TRIM(id_number)
    END IN (SELECT id_number FROM stated_document)
