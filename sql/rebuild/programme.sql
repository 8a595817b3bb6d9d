-- rebuild.programme: one row per programme: decisions by what became of them, and what that is worth.
SELECT
    programme_code,
    COUNT(*) FILTER (WHERE change_code = 'gained') AS gained,
    COUNT(*) FILTER (WHERE change_code = 'lost') AS lost,
    COUNT(*) FILTER (WHERE change_code = 'changed') AS changed,
    COUNT(*) FILTER (WHERE change_code = 'undecided') AS undecided,
    CAST(SUM(gained_fen) AS BIGINT) AS gained_fen,
    CAST(SUM(lost_fen) AS BIGINT) AS lost_fen,
    MIN(amount_unit) AS unit
FROM differing_decision
GROUP BY programme_code
ORDER BY programme_code
