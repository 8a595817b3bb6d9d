-- subsidy.decision_count: how many persons have each decision of one programme.
SELECT decision_code, COUNT(*) AS persons
FROM decision
GROUP BY decision_code
