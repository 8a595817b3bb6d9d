-- births.not_living: the births that did not live, to be linked as the living are.
SELECT * REPLACE (TRUE AS is_living) FROM folded_birth WHERE NOT is_living
