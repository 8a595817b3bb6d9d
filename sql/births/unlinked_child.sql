-- births.unlinked_child: the children of the population database that no living birth was linked to.
SELECT population_child.*
FROM population_child
WHERE relation_id NOT IN (SELECT relation_id FROM link WHERE pass_name IS NOT NULL)
