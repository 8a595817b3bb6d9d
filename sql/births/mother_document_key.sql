-- births.mother_document_key: one row per living birth or child whose mother's document, birth date, sex and plural order
-- are all stated.
WITH side AS (
    SELECT mch_record_id, CAST(NULL AS BIGINT) AS relation_id, mother_id_number, birth_date, sex_code, plural_order
    FROM folded_birth
    WHERE is_living
    UNION ALL
    SELECT NULL, relation_id, mother_id_number, birth_date, sex_code, plural_order
    FROM population_child
)
SELECT
    mch_record_id, relation_id,
    mother_id_number || '|' || CAST(birth_date AS VARCHAR) || '|' || sex_code || '|' || CAST(plural_order AS VARCHAR) AS key
FROM side
WHERE mother_id_number IS NOT NULL AND birth_date IS NOT NULL AND sex_code IS NOT NULL
