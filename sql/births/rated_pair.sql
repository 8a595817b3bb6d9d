-- births.rated_pair: one row per scored pair with its probability and its band.
--
-- A pair's probability counts its rivals: of all pairs in which its birth or its child stands, at most one is true. Above
-- one half it has no equal on either side, so that automatic links are one to one; equal rivals stay below.
WITH rated AS (
    SELECT *, POWER(2, match_weight) AS odds FROM scored_pair
),
rivalled AS (
    SELECT
        *,
        odds / (
            1 + SUM(odds) OVER (PARTITION BY mch_record_id) + SUM(odds) OVER (PARTITION BY relation_id) - odds
        ) AS probability,
        COUNT(*) OVER (PARTITION BY mch_record_id) + COUNT(*) OVER (PARTITION BY relation_id) - 2 AS rivals
    FROM rated
)
SELECT
    * EXCLUDE (odds),
    CASE
        WHEN probability >= $automatic_from AND is_told_apart THEN 'automatic'
        WHEN probability >= $review_from THEN 'review'
    END AS band_code
FROM rivalled
ORDER BY mch_record_id, relation_id
