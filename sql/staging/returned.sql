-- returned.<dataset>: one row per rejected report that waits at its source now, and one per key that waited
-- `before` and does no more, with the cause. `answer` are the accepted reports of keys that waited, `given_up` the keys
-- of rows that a person gave up.
WITH ended AS (
    SELECT before.*, now_waits.row_key IS NOT NULL AS waits_on
    FROM before
    LEFT JOIN (SELECT DISTINCT row_key FROM waiting) AS now_waits ON now_waits.row_key = before.row_key
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY before.row_key ORDER BY before.stamp DESC NULLS LAST, before.landing_id DESC, before.landing_row DESC
    ) = 1
),

answered AS (
    -- A row that is accepted as it was rejected tells that the rules changed, or what they look at.
    SELECT
        answer.row_key,
        MAX(CASE WHEN answer.received IS NOT DISTINCT FROM before.received THEN 1 ELSE 0 END) = 1 AS is_as_it_was
    FROM answer
    JOIN before ON before.row_key = answer.row_key
    GROUP BY answer.row_key
),

unchanged AS (
    SELECT DISTINCT waiting.number
    FROM waiting
    JOIN before ON before.row_key = waiting.row_key AND before.received IS NOT DISTINCT FROM waiting.received
)

SELECT
    waiting.row_key,
    waiting.stamp,
    waiting.landing_id,
    waiting.landing_row,
    waiting.received,
    waiting.failed_rules,
    TRUE AS is_open,
    unchanged.number IS NOT NULL AS is_unchanged,
    NULL AS cause_code,
    $judged_by AS judged_by
FROM waiting
LEFT JOIN unchanged ON unchanged.number = waiting.number

UNION ALL

SELECT
    ended.row_key,
    ended.stamp,
    ended.landing_id,
    ended.landing_row,
    ended.received,
    ended.failed_rules,
    FALSE,
    TRUE,
    CASE
        WHEN answered.row_key IS NULL AND given.row_key IS NOT NULL THEN 'given_up'
        WHEN answered.row_key IS NULL THEN 'withdrawn'
        WHEN NOT answered.is_as_it_was THEN 'corrected'
        WHEN ended.judged_by = $judged_by THEN 'context_changed'
        ELSE 'rule_changed'
    END,
    $judged_by
FROM ended
LEFT JOIN answered ON answered.row_key = ended.row_key
LEFT JOIN (SELECT DISTINCT row_key FROM given_up) AS given ON given.row_key = ended.row_key
WHERE NOT ended.waits_on

ORDER BY row_key, landing_id, landing_row
