-- thread_marriage: the staged marriages of the person with $person_id, by marriage_id.
SELECT * FROM marriage
WHERE husband_person_id = $person_id OR wife_person_id = $person_id
ORDER BY marriage_id
