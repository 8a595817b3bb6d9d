-- decision_of_person: the decision about one person under one programme, with every clause.
SELECT decision.*
FROM decision
WHERE decision.person_id = $person_id
