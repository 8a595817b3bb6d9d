-- births.exact_link: one row per pair linked by an exact pass, and one per birth or child left unlinked because a pass
-- found several partners.
--
-- Within a pass a pair is linked only if each side has no other partner. What a pass leaves ambiguous the next may
-- still settle. Every number is counted before it is joined: a placeholder held by thousands joins nothing.
WITH living_birth AS (
    SELECT * FROM folded_birth WHERE is_living
),
-- Pass 1: any certificate number of the chain.
birth_number AS (
    SELECT mch_record_id, UNNEST(certificate_numbers) AS number FROM living_birth
),
number_of_birth AS (
    SELECT number, COUNT(*) AS births, MIN(mch_record_id) AS mch_record_id FROM birth_number GROUP BY number
),
number_of_child AS (
    SELECT certificate_number AS number, COUNT(*) AS children, MIN(relation_id) AS relation_id
    FROM population_child
    WHERE certificate_number IS NOT NULL
    GROUP BY certificate_number
),
met_number AS (
    SELECT number, mch_record_id, relation_id, births = 1 AND children = 1 AS is_unique
    FROM number_of_birth
    JOIN number_of_child USING (number)
),
certificate_candidate AS (
    SELECT
        birth_number.mch_record_id,
        BOOL_AND(met_number.is_unique) AND COUNT(DISTINCT met_number.relation_id) = 1 AS is_unique,
        MIN(met_number.relation_id) AS relation_id
    FROM birth_number
    JOIN met_number USING (number)
    GROUP BY birth_number.mch_record_id
),
certificate_link AS (
    SELECT mch_record_id, relation_id FROM certificate_candidate WHERE is_unique
),
-- Pass 2: the mother's document, birth date, sex and plural order, among what is left.
birth_left AS (
    SELECT mother_id_number, birth_date, sex_code, plural_order,
        COUNT(*) AS births, MIN(mch_record_id) AS mch_record_id, LIST(mch_record_id) AS mch_record_ids
    FROM living_birth
    WHERE mother_id_number IS NOT NULL AND mch_record_id NOT IN (SELECT mch_record_id FROM certificate_link)
    GROUP BY mother_id_number, birth_date, sex_code, plural_order
),
child_left AS (
    SELECT mother_id_number, birth_date, sex_code, plural_order,
        COUNT(*) AS children, MIN(relation_id) AS relation_id, LIST(relation_id) AS relation_ids
    FROM population_child
    WHERE mother_id_number IS NOT NULL AND relation_id NOT IN (SELECT relation_id FROM certificate_link)
    GROUP BY mother_id_number, birth_date, sex_code, plural_order
),
mother_candidate AS (
    SELECT *, births = 1 AND children = 1 AS is_unique
    FROM birth_left
    JOIN child_left USING (mother_id_number, birth_date, sex_code, plural_order)
),
mother_link AS (
    SELECT mch_record_id, relation_id FROM mother_candidate WHERE is_unique
),
-- Pass 3: the same, with the mother's document as it was meant: 15 digits lengthened, two neighbours changed back.
-- The check character leaves no other person whose number these could be.
birth_meant AS (
    SELECT mch_record_id, resident_id_18(mother_id_number) AS mother_id_number, birth_date, sex_code, plural_order
    FROM living_birth
    WHERE mch_record_id NOT IN (SELECT mch_record_id FROM certificate_link)
        AND mch_record_id NOT IN (SELECT mch_record_id FROM mother_link)
        AND LENGTH(mother_id_number) IN (15, 18)
),
place AS (
    SELECT UNNEST(RANGE(1, 18)) AS place
),
form_of_birth AS (
    SELECT mch_record_id, mother_id_number, birth_date, sex_code, plural_order FROM birth_meant
    UNION
    SELECT
        mch_record_id,
        SUBSTR(mother_id_number, 1, place - 1) || SUBSTR(mother_id_number, place + 1, 1)
            || SUBSTR(mother_id_number, place, 1) || SUBSTR(mother_id_number, place + 2),
        birth_date, sex_code, plural_order
    FROM birth_meant
    CROSS JOIN place
    WHERE resident_id_check(mother_id_number) IS DISTINCT FROM SUBSTR(mother_id_number, 18, 1)
),
child_meant AS (
    SELECT mother_id_number, birth_date, sex_code, plural_order, COUNT(*) AS children, MIN(relation_id) AS relation_id, LIST(relation_id) AS relation_ids
    FROM population_child
    WHERE mother_id_number IS NOT NULL
        AND relation_id NOT IN (SELECT relation_id FROM certificate_link)
        AND relation_id NOT IN (SELECT relation_id FROM mother_link)
    GROUP BY mother_id_number, birth_date, sex_code, plural_order
),
met_form AS (
    SELECT
        form_of_birth.mch_record_id, child_meant.relation_id, child_meant.relation_ids,
        children = 1 AND COUNT(*) OVER (PARTITION BY form_of_birth.mch_record_id) = 1
            AND COUNT(*) OVER (PARTITION BY child_meant.relation_id) = 1 AS is_unique
    FROM form_of_birth
    JOIN child_meant USING (mother_id_number, birth_date, sex_code, plural_order)
),
pair AS (
    SELECT mch_record_id, relation_id, 'certificate' AS pass_name FROM certificate_link
    UNION ALL
    SELECT mch_record_id, relation_id, 'mother_document' FROM mother_link
    UNION ALL
    SELECT mch_record_id, relation_id, 'mother_document_form' FROM met_form WHERE is_unique
),
open_number AS (
    SELECT DISTINCT birth_number.number
    FROM birth_number
    JOIN met_number USING (number)
    JOIN certificate_candidate ON certificate_candidate.mch_record_id = birth_number.mch_record_id
    WHERE NOT certificate_candidate.is_unique
),
ambiguous AS (
    SELECT mch_record_id, NULL AS relation_id FROM certificate_candidate WHERE NOT is_unique
    UNION
    SELECT NULL, relation_id
    FROM population_child
    JOIN open_number ON open_number.number = population_child.certificate_number
    UNION
    SELECT UNNEST(mch_record_ids), NULL FROM mother_candidate WHERE NOT is_unique
    UNION
    SELECT NULL, UNNEST(relation_ids) FROM mother_candidate WHERE NOT is_unique
    UNION
    SELECT mch_record_id, NULL FROM met_form WHERE NOT is_unique
    UNION
    SELECT NULL, UNNEST(relation_ids) FROM met_form WHERE NOT is_unique
)
SELECT mch_record_id, relation_id, pass_name FROM pair
UNION ALL
SELECT ambiguous.mch_record_id, ambiguous.relation_id, NULL
FROM ambiguous
WHERE NOT EXISTS (
    SELECT 1 FROM pair
    WHERE pair.mch_record_id = ambiguous.mch_record_id OR pair.relation_id = ambiguous.relation_id
)
ORDER BY mch_record_id, relation_id
