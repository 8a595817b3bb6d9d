-- births.link: one row per linked pair; per pair that a person has to look at; and per birth or child left unlinked because
-- several partners fit.
WITH best AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY mch_record_id ORDER BY probability DESC, match_weight DESC, relation_id) AS of_birth,
        ROW_NUMBER() OVER (PARTITION BY relation_id ORDER BY probability DESC, match_weight DESC, mch_record_id) AS of_child
    FROM rated_pair
    WHERE band_code = 'review'
),
asked AS (
    -- What people can look at is limited: the likeliest first.
    SELECT *, ROW_NUMBER() OVER (ORDER BY probability DESC, mch_record_id, relation_id) AS turn
    FROM best
    WHERE of_birth = 1 AND of_child = 1
),
paired AS (
    SELECT mch_record_id, relation_id, pass_name, CAST(NULL AS DOUBLE) AS match_weight, CAST(NULL AS DOUBLE) AS probability,
        CASE WHEN pass_name = 'person' THEN 'decided' ELSE 'automatic' END AS band_code
    FROM exact_link
    WHERE pass_name IS NOT NULL
    UNION ALL
    SELECT mch_record_id, relation_id, 'model', match_weight, probability, band_code FROM rated_pair WHERE band_code = 'automatic'
    UNION ALL
    SELECT mch_record_id, relation_id, NULL, match_weight, probability, band_code
    FROM asked
    WHERE turn <= $reviews_at_most
),
ambiguous AS (
    SELECT mch_record_id, relation_id FROM exact_link WHERE pass_name IS NULL
    UNION
    SELECT mch_record_id, NULL FROM best
    UNION
    SELECT NULL, relation_id FROM best
)
SELECT * FROM paired
UNION ALL
SELECT mch_record_id, relation_id, NULL, NULL, NULL, NULL
FROM ambiguous
WHERE NOT EXISTS (
    SELECT 1 FROM paired
    WHERE paired.mch_record_id = ambiguous.mch_record_id OR paired.relation_id = ambiguous.relation_id
)
ORDER BY mch_record_id, relation_id
