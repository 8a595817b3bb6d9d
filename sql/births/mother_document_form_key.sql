-- births.mother_document_form_key: one row per child, and one per living birth and number that its mother's document may
-- have meant, with birth date, sex and plural order: 15 digits lengthened, two neighbours changed back.
--
-- The check character leaves no other person whose number these could be.
WITH meant AS (
    SELECT mch_record_id, resident_id_18(mother_id_number) AS mother_id_number, birth_date, sex_code, plural_order
    FROM folded_birth
    WHERE is_living AND LENGTH(mother_id_number) IN (15, 18)
),
place AS (
    SELECT UNNEST(RANGE(1, 18)) AS place
),
side AS (
    SELECT mch_record_id, CAST(NULL AS BIGINT) AS relation_id, mother_id_number, birth_date, sex_code, plural_order FROM meant
    UNION
    SELECT
        mch_record_id,
        NULL,
        SUBSTR(mother_id_number, 1, place - 1) || SUBSTR(mother_id_number, place + 1, 1)
            || SUBSTR(mother_id_number, place, 1) || SUBSTR(mother_id_number, place + 2),
        birth_date, sex_code, plural_order
    FROM meant
    CROSS JOIN place
    WHERE resident_id_check(mother_id_number) IS DISTINCT FROM SUBSTR(mother_id_number, 18, 1)
    UNION ALL
    SELECT NULL, relation_id, mother_id_number, birth_date, sex_code, plural_order
    FROM population_child
)
SELECT
    mch_record_id, relation_id,
    mother_id_number || '|' || CAST(birth_date AS VARCHAR) || '|' || sex_code || '|' || CAST(plural_order AS VARCHAR) AS key
FROM side
WHERE mother_id_number IS NOT NULL AND birth_date IS NOT NULL AND sex_code IS NOT NULL
