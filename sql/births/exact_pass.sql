-- births.exact_pass: one row per pair that a pass links by its keys, and one per birth or child that it leaves unlinked
-- because several partners fit.
--
-- A pair is linked only if each side has no other partner; whom a person told apart are no partners. What a pass leaves
-- ambiguous the next may still settle. Every key is counted before it is joined: a placeholder held by thousands joins
-- nothing.
WITH birth_key AS (
    SELECT mch_record_id, key FROM pass_key WHERE mch_record_id IS NOT NULL
),
child_key AS (
    SELECT relation_id, key FROM pass_key WHERE relation_id IS NOT NULL
),
key_of_births AS (
    SELECT key, COUNT(*) AS births FROM birth_key GROUP BY key
),
key_of_children AS (
    SELECT key, COUNT(*) AS children FROM child_key GROUP BY key
),
apart AS (
    SELECT key, told_apart.mch_record_id, told_apart.relation_id
    FROM told_apart
    JOIN birth_key ON birth_key.mch_record_id = told_apart.mch_record_id
    JOIN child_key USING (relation_id, key)
),
apart_of_birth AS (
    SELECT key, mch_record_id, COUNT(*) AS children FROM apart GROUP BY key, mch_record_id
),
apart_of_child AS (
    SELECT key, relation_id, COUNT(*) AS births FROM apart GROUP BY key, relation_id
),
birth_met AS (
    SELECT mch_record_id, key, key_of_children.children - COALESCE(apart_of_birth.children, 0) AS partners
    FROM birth_key
    JOIN key_of_children USING (key)
    LEFT JOIN apart_of_birth USING (key, mch_record_id)
),
child_met AS (
    SELECT relation_id, key, key_of_births.births - COALESCE(apart_of_child.births, 0) AS partners
    FROM child_key
    JOIN key_of_births USING (key)
    LEFT JOIN apart_of_child USING (key, relation_id)
),
met AS (
    -- Who has one partner left meets it and whom it was told apart from: few rows, however many hold the key.
    SELECT birth_met.mch_record_id, birth_met.key, child_met.relation_id, child_met.partners = 1 AS is_unique
    FROM birth_met
    JOIN child_met USING (key)
    LEFT JOIN apart
        ON apart.key = birth_met.key AND apart.mch_record_id = birth_met.mch_record_id
        AND apart.relation_id = child_met.relation_id
    WHERE birth_met.partners = 1 AND apart.key IS NULL
    UNION ALL
    SELECT mch_record_id, key, NULL, FALSE FROM birth_met WHERE partners > 1
),
candidate AS (
    SELECT
        mch_record_id, BOOL_AND(is_unique) AND COUNT(DISTINCT relation_id) = 1 AS is_unique, MIN(relation_id) AS relation_id
    FROM met
    GROUP BY mch_record_id
),
open_key AS (
    SELECT DISTINCT met.key
    FROM met
    JOIN candidate USING (mch_record_id)
    WHERE NOT candidate.is_unique
)
SELECT mch_record_id, relation_id, $pass_name AS pass_name FROM candidate WHERE is_unique
UNION ALL
SELECT mch_record_id, NULL, NULL FROM candidate WHERE NOT is_unique
UNION ALL
SELECT DISTINCT NULL, relation_id, NULL
FROM child_met
JOIN open_key USING (key)
WHERE partners > 0
