-- family_children: the child rows of one parent.
SELECT family_child.*
FROM family_child
WHERE family_child.mother_person_id = $person_id OR family_child.father_person_id = $person_id
ORDER BY family_child.relation_id
