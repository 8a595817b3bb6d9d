-- What the population database says of the births: children; `relation_id` is the number of the birth.
SELECT
    n AS relation_id,
    '11' || LPAD(CAST(delivery AS VARCHAR), 18, '0') AS mother_person_id,
    CAST(NULL AS VARCHAR) AS father_person_id,
    CAST(NULL AS VARCHAR) AS child_person_id,
    CAST(NULL AS VARCHAR) AS child_id_type_code,
    CAST(NULL AS VARCHAR) AS child_id_number,
    CAST(NULL AS VARCHAR) AS child_name,
    CAST(NULL AS BIGINT) AS plural_count,
    birth_date AS child_birth_date,
    sex_code AS child_sex_code,
    CASE WHEN chance_certificate >= $missing_birth_cert_no THEN certificate_number END AS birth_certificate_number,
    parity,
    CAST(plural_order AS BIGINT) AS plural_order,
    CAST(NULL AS DATE) AS adopted_date,
    TRUE AS is_alive
FROM birth
WHERE chance_missing < 1 - $missing_in_population
