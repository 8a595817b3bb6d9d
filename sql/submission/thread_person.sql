-- thread_person: the staged person with $person_id, as read for a thread; at most one row.
SELECT * FROM population_person WHERE person_id = $person_id
