-- births.person_link: one row per living birth and child that a person has said to be one.
SELECT said_same.mch_record_id, said_same.relation_id, $pass_name AS pass_name
FROM said_same
JOIN folded_birth USING (mch_record_id)
JOIN population_child USING (relation_id)
WHERE is_living
ORDER BY mch_record_id
