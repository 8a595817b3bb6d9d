-- One more copy of a part of the city, in the population database: other file numbers, identity numbers of other
-- counties with check digits of their own, other numbers of certificates. PostgreSQL; the statements are divided by
-- lines of dashes.
CREATE OR REPLACE FUNCTION tiled_key(person_id text, tile integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT '1100' || lpad(tile::text, 2, '0') || substr(person_id, 7)
$$
----
CREATE OR REPLACE FUNCTION tiled_number(id_number text, counties text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN id_number !~ '^[0-9]{17}[0-9X]$' THEN id_number ELSE (
        SELECT seventeen || substr('10X98765432', 1 + (
            SELECT sum(substr(seventeen, place, 1)::integer * (ARRAY[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])[place])
            FROM generate_series(1, 17) AS places(place)
        )::integer % 11, 1)
        FROM (SELECT counties[1 + substr(id_number, 1, 6)::integer % cardinality(counties)] || substr(id_number, 7, 11)) AS n(seventeen)
    ) END
$$
----
INSERT INTO population_person
SELECT (jsonb_populate_record(person, jsonb_build_object(
    'person_id', tiled_key(person.person_id, %(tile)s),
    'spouse_person_id', tiled_key(person.spouse_person_id, %(tile)s),
    'id_number', tiled_number(person.id_number, %(counties)s)
))).*
FROM population_person AS person
WHERE substr(person.person_id, 5, 2) = '00'
----
INSERT INTO family_child
SELECT (jsonb_populate_record(child, jsonb_build_object(
    'relation_id', child.relation_id + %(tile)s * 1000000000::bigint,
    'mother_person_id', tiled_key(child.mother_person_id, %(tile)s),
    'father_person_id', tiled_key(child.father_person_id, %(tile)s),
    'child_person_id', tiled_key(child.child_person_id, %(tile)s),
    'child_id_number', tiled_number(child.child_id_number, %(counties)s),
    'birth_cert_no', chr(64 + %(tile)s) || substr(child.birth_cert_no, 2)
))).*
FROM family_child AS child
WHERE child.relation_id < 1000000000
----
INSERT INTO marriage
SELECT (jsonb_populate_record(wedding, jsonb_build_object(
    'marriage_id', wedding.marriage_id + %(tile)s * 1000000000::bigint,
    'husband_person_id', tiled_key(wedding.husband_person_id, %(tile)s),
    'wife_person_id', tiled_key(wedding.wife_person_id, %(tile)s)
))).*
FROM marriage AS wedding
WHERE wedding.marriage_id < 1000000000
----
DROP FUNCTION tiled_key
----
DROP FUNCTION tiled_number
