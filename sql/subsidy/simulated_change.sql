-- subsidy.simulated_change: one row per district: who would gain, lose or get another amount, and what a year costs.
-- `ours` and `theirs` are the decisions of one programme by two policies; $units is how many amounts a year has.
WITH pair AS (
    SELECT
        COALESCE(SUBSTR(COALESCE(theirs.hukou_division_code, ours.hukou_division_code), 1, 6), '') AS district_code,
        ours.decision_code = 'eligible' AS was_eligible,
        theirs.decision_code = 'eligible' AS is_eligible,
        ours.decision_code IS DISTINCT FROM theirs.decision_code AS is_decided_otherwise,
        COALESCE(ours.amount_fen, 0) AS was_fen,
        COALESCE(theirs.amount_fen, 0) AS is_fen
    FROM ours
    JOIN theirs ON ours.person_id = theirs.person_id
)
SELECT
    district_code,
    COUNT(*) FILTER (WHERE is_eligible AND NOT was_eligible) AS gaining,
    COUNT(*) FILTER (WHERE was_eligible AND NOT is_eligible) AS losing,
    COUNT(*) FILTER (WHERE was_eligible AND is_eligible AND was_fen <> is_fen) AS otherwise_paid,
    COUNT(*) FILTER (WHERE is_decided_otherwise AND NOT was_eligible AND NOT is_eligible) AS otherwise_refused,
    CAST(SUM(was_fen) * $units AS BIGINT) AS was_fen,
    CAST(SUM(is_fen) * $units AS BIGINT) AS becomes_fen
FROM pair
GROUP BY district_code
HAVING gaining + losing + otherwise_paid + otherwise_refused > 0
ORDER BY district_code
