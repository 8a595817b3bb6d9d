-- births.rated_pair: one row per scored pair with its probability and its band.
--
-- A pair's probability counts its rivals: of all pairs in which its birth or its child stands, at most one is true. Above
-- one half it has no equal on either side, so that automatic links are one to one; equal rivals stay below.
-- Odds are added up as whole parts (2 to the power of 52) of the highest among them: so the sum, and with it each digit
-- of the probability, is the same in whatever order an engine adds.
WITH rated AS (
    SELECT
        *,
        POWER(2, match_weight) AS odds,
        MAX(match_weight) OVER (PARTITION BY mch_record_id) AS of_birth,
        MAX(match_weight) OVER (PARTITION BY relation_id) AS of_child
    FROM scored_pair
),
parted AS (
    SELECT
        *,
        CAST(POWER(2, match_weight - of_birth) * POWER(2, 52) AS BIGINT) AS birth_parts,
        CAST(POWER(2, match_weight - of_child) * POWER(2, 52) AS BIGINT) AS child_parts
    FROM rated
),
rivalled AS (
    SELECT
        *,
        odds / (
            1
            + CAST(SUM(birth_parts) OVER (PARTITION BY mch_record_id) AS DOUBLE) / POWER(2, 52) * POWER(2, of_birth)
            + CAST(SUM(child_parts) OVER (PARTITION BY relation_id) AS DOUBLE) / POWER(2, 52) * POWER(2, of_child)
            - odds
        ) AS probability,
        COUNT(*) OVER (PARTITION BY mch_record_id) + COUNT(*) OVER (PARTITION BY relation_id) - 2 AS rivals
    FROM parted
)
SELECT
    * EXCLUDE (odds, of_birth, of_child, birth_parts, child_parts),
    CASE
        WHEN probability >= $automatic_from AND is_told_apart THEN 'automatic'
        WHEN probability >= $review_from THEN 'review'
    END AS band_code
FROM rivalled
ORDER BY mch_record_id, relation_id
