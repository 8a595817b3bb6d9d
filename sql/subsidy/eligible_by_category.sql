-- subsidy.eligible_by_category: how many persons are eligible, by category.
SELECT category_code, COUNT(*) AS persons
FROM decision
WHERE decision_code = 'eligible'
GROUP BY category_code
ORDER BY category_code
