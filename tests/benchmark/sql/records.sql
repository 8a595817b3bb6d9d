-- Records to be reported, as sql/submission/record.sql gives them: $records of them, of special assistance; a few break
-- the receiver's layout.
SELECT
    'T112026' || UPPER(LEFT(SHA256(person_id), 10)) AS record_id,
    person_id, name, sex_code, birth_date,
    '01' AS id_type_code,
    COALESCE(id_number, '?') AS id_number,
    hukou_division_code,
    hukou_nature_code,
    COALESCE(marital_status_code, '90') AS marital_status_code,
    CASE WHEN HASH(person_id) % 3 = 0 THEN 'death' ELSE 'disability' END AS category_code,
    CAST(HASH(person_id) % 2 AS BIGINT) AS living_children_count,
    '京光' || RIGHT(person_id, 8) AS only_child_certificate_number,
    CASE WHEN HASH(person_id) % 3 = 0 THEN DATE '2015-07-08' END AS child_death_date,
    CASE WHEN HASH(person_id) % 3 <> 0 THEN '2' END AS child_disability_level_code,
    DATE '2026-06-01' AS start_month,
    CAST(CASE WHEN HASH(person_id) % 3 = 0 THEN 50000 ELSE 40000 END AS BIGINT) AS amount_fen
FROM person
QUALIFY ROW_NUMBER() OVER (PARTITION BY person_id) = 1
ORDER BY record_id
LIMIT $records
