-- family_marriages: the marriage rows of one person.
SELECT marriage.*
FROM marriage
WHERE marriage.husband_person_id = $person_id OR marriage.wife_person_id = $person_id
ORDER BY marriage.marriage_id
