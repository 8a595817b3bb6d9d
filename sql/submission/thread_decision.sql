-- thread_decision: the decision about the person with $person_id, with every clause; at most one row.
SELECT * FROM decision WHERE person_id = $person_id
