-- thread_birth: what was found of the birth with $match_id; at most one row.
SELECT * FROM birth_match WHERE match_id = $match_id
