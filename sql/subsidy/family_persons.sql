-- family_persons: the person and everyone who is or was married to that person.
SELECT population_person.*
FROM population_person
WHERE population_person.person_id = $person_id
    OR population_person.person_id IN (
        SELECT wife_person_id FROM marriage WHERE husband_person_id = $person_id
        UNION ALL
        SELECT husband_person_id FROM marriage WHERE wife_person_id = $person_id
    )
ORDER BY population_person.person_id
