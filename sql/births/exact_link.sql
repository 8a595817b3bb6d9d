-- births.exact_link: one row per pair that a person or an exact pass links, and one per birth or child left unlinked
-- because a pass found several partners.
WITH pair AS (
    SELECT mch_record_id, relation_id, pass_name FROM passed WHERE pass_name IS NOT NULL
),
ambiguous AS (
    SELECT DISTINCT mch_record_id, relation_id FROM passed WHERE pass_name IS NULL
)
SELECT mch_record_id, relation_id, pass_name FROM pair
UNION ALL
SELECT mch_record_id, relation_id, NULL
FROM ambiguous
WHERE NOT EXISTS (
    SELECT 1 FROM pair
    WHERE pair.mch_record_id = ambiguous.mch_record_id OR pair.relation_id = ambiguous.relation_id
)
ORDER BY mch_record_id, relation_id
