-- thread_relation: the staged child of the relation $relation_id; at most one row.
SELECT * FROM family_child WHERE relation_id = $relation_id
