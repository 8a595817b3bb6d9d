-- births.met_pair: one row per open birth and open child that share a key and whose dates do not exclude each other.
--
-- Every key is counted on both sides before it is joined: a placeholder that thousands share, as mother or telephone,
-- brings nobody together. Where nothing is stated there is no key. Whom a person told apart never meet.
WITH birth_key AS (
    SELECT side_id, 'mother_document' AS block, mother_document AS key FROM open_birth
    UNION ALL
    SELECT side_id, 'father_document', father_document FROM open_birth
    UNION ALL
    SELECT side_id, 'mother_phone', mother_phone FROM open_birth
    UNION ALL
    SELECT side_id, 'mother_name', mother_name || CAST(birth_date AS VARCHAR) FROM open_birth
    UNION ALL
    SELECT side_id, 'father_name', father_name || CAST(birth_date AS VARCHAR) FROM open_birth
    UNION ALL
    SELECT side_id, 'child_name', child_name || CAST(birth_date AS VARCHAR) FROM open_birth
    UNION ALL
    SELECT side_id, 'mother_birth_date', CAST(mother_birth_date AS VARCHAR) || CAST(birth_date AS VARCHAR) FROM open_birth
    UNION ALL
    SELECT side_id, 'parents', mother_name || father_name FROM open_birth
),
child_key AS (
    SELECT side_id, 'mother_document' AS block, mother_document AS key FROM open_child
    UNION ALL
    SELECT side_id, 'father_document', father_document FROM open_child
    UNION ALL
    SELECT side_id, 'mother_phone', mother_phone FROM open_child
    UNION ALL
    SELECT side_id, 'mother_name', mother_name || CAST(birth_date AS VARCHAR) FROM open_child
    UNION ALL
    SELECT side_id, 'father_name', father_name || CAST(birth_date AS VARCHAR) FROM open_child
    UNION ALL
    SELECT side_id, 'child_name', child_name || CAST(birth_date AS VARCHAR) FROM open_child
    UNION ALL
    SELECT side_id, 'mother_birth_date', CAST(mother_birth_date AS VARCHAR) || CAST(birth_date AS VARCHAR) FROM open_child
    UNION ALL
    SELECT side_id, 'parents', mother_name || father_name FROM open_child
),
key_of_births AS (
    SELECT block, key, COUNT(*) AS births FROM birth_key WHERE key IS NOT NULL GROUP BY block, key
),
key_of_children AS (
    SELECT block, key, COUNT(*) AS children FROM child_key WHERE key IS NOT NULL GROUP BY block, key
),
met_key AS (
    SELECT block, key
    FROM key_of_births
    JOIN key_of_children USING (block, key)
    WHERE births * children <= $pairs_per_key
),
met AS (
    SELECT DISTINCT birth_key.side_id AS birth_id, child_key.side_id AS child_id
    FROM met_key
    JOIN birth_key USING (block, key)
    JOIN child_key USING (block, key)
)
SELECT met.birth_id, met.child_id
FROM met
JOIN open_birth AS birth ON birth.side_id = met.birth_id
JOIN open_child AS child ON child.side_id = met.child_id
-- No woman gives birth twice within a month, and who was born months apart is another child of hers.
WHERE (
        ABS(DATE_DIFF('day', birth.birth_date, child.birth_date)) <= $days_apart
        OR is_month_day_swapped(birth.birth_date, child.birth_date)
    )
    -- Two children of one delivery who differ in order and sex are brother and sister, each known to one side.
    AND NOT (
        (birth.is_multiple OR child.is_multiple)
        AND birth.plural_order <> child.plural_order AND COALESCE(birth.sex_code <> child.sex_code, FALSE)
    )
    AND NOT EXISTS (
        SELECT 1 FROM told_apart
        WHERE told_apart.mch_record_id = met.birth_id AND CAST(told_apart.relation_id AS VARCHAR) = met.child_id
    )
ORDER BY birth_id, child_id
