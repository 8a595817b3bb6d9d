-- births.link: one row per linked pair; per pair that a person has to look at; and per birth or child left unlinked because
-- several partners fit.
--
-- A pair's probability counts its rivals: of all pairs in which its birth or its child stands, at most one is true. Above
-- one half it has no equal on either side, so that automatic links are one to one; equal rivals stay below.
WITH rated AS (
    SELECT mch_record_id, relation_id, match_weight, is_told_apart, POWER(2, match_weight) AS odds
    FROM scored_pair
),
rivalled AS (
    SELECT
        *,
        odds / (
            1 + SUM(odds) OVER (PARTITION BY mch_record_id) + SUM(odds) OVER (PARTITION BY relation_id) - odds
        ) AS probability
    FROM rated
),
band AS (
    SELECT
        *,
        CASE
            WHEN probability >= $automatic_from AND is_told_apart THEN 'automatic'
            WHEN probability >= $review_from THEN 'review'
        END AS band_code
    FROM rivalled
),
best AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY mch_record_id ORDER BY probability DESC, match_weight DESC, relation_id) AS of_birth,
        ROW_NUMBER() OVER (PARTITION BY relation_id ORDER BY probability DESC, match_weight DESC, mch_record_id) AS of_child
    FROM band
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
    SELECT mch_record_id, relation_id, 'model', match_weight, probability, band_code FROM band WHERE band_code = 'automatic'
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
