-- subsidy.recorded_decision: all decisions of a run with all their columns, in the order in which they were made.
SELECT *
FROM decision
ORDER BY person_id
