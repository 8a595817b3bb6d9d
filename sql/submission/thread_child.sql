-- thread_child: the staged children of the person with $person_id, by relation_id.
SELECT * FROM family_child
WHERE mother_person_id = $person_id OR father_person_id = $person_id
ORDER BY relation_id
