-- births.field_of_birth: the fields of one birth, as they are kept.
SELECT birth_field.* FROM birth_field WHERE match_id = $match_id
