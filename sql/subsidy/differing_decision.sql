-- subsidy.differing_decision: one row: how many decisions, with all clauses, only one of two sides has.
SELECT COUNT(*) AS rows
FROM (
    (SELECT * FROM recorded EXCEPT ALL SELECT * FROM replayed)
    UNION ALL
    (SELECT * FROM replayed EXCEPT ALL SELECT * FROM recorded)
) AS differing
