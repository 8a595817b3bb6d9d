-- decision_of_cases: the decisions about persons who have a case, with every clause, by person.
SELECT decision.*
FROM decision
SEMI JOIN person ON decision.person_id = person.person_id
ORDER BY decision.person_id
