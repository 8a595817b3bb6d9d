-- What maternal health says of the births: conformed records. `record_id` holds the number of the birth, so that
-- links can be judged; no contender may look at it.
SELECT
    'M' || LPAD(CAST(n AS VARCHAR), 10, '0') AS record_id,
    'D' || LPAD(CAST(delivery AS VARCHAR), 10, '0') AS delivery_id,
    certificate_number AS birth_certificate_number,
    '1' AS issue_kind_code,
    CAST(NULL AS VARCHAR) AS previous_certificate_number,
    CASE WHEN chance_sex < $sex_wrong THEN CASE sex_code WHEN '1' THEN '2' ELSE '1' END ELSE sex_code END AS child_sex_code,
    CAST(
        birth_date + CASE WHEN chance_date < $birth_date_off / 2 THEN 1 WHEN chance_date < $birth_date_off THEN -1 ELSE 0 END
        AS TIMESTAMP
    ) + INTERVAL 9 HOUR AS born_at,
    '110105' AS birth_division_code,
    CAST(plural_order AS BIGINT) AS plural_order,
    '1' AS outcome_code,
    parity + CASE WHEN chance_parity < $parity_wrong THEN 1 ELSE 0 END AS parity,
    CASE
        WHEN chance_mother < $mother_id_missing THEN NULL
        WHEN chance_mother < $mother_id_missing + $mother_id_transposed
            THEN SUBSTR(mother_id_number, 1, 14) || SUBSTR(mother_id_number, 16, 1) || SUBSTR(mother_id_number, 15, 1)
                || SUBSTR(mother_id_number, 17)
        WHEN chance_mother < $mother_id_missing + $mother_id_transposed + $mother_other_document
            THEN 'E' || SUBSTR(certificate_number, 2)
        ELSE mother_id_number
    END AS mother_id_number,
    CAST(NULL AS VARCHAR) AS child_name,
    CAST(NULL AS BIGINT) AS plural_count,
    CAST(NULL AS BIGINT) AS weight_g,
    CASE WHEN chance_mother_name < $mother_name_typo THEN SUBSTR(mother_name, 1, 2) || '英' ELSE mother_name END AS mother_name,
    mother_phone,
    CAST(NULL AS VARCHAR) AS father_name,
    CAST(NULL AS DATE) AS father_birth_date,
    CAST(NULL AS VARCHAR) AS father_id_number,
    mother_birth_date,
    '110105001001' AS mother_hukou_division_code,
    '110105001001' AS mother_residence_division_code,
    birth_date AS issue_date,
    '1' AS status_code,
    CAST(birth_date AS TIMESTAMP) + INTERVAL 30 HOUR AS reported_at
FROM birth
WHERE chance_missing >= $missing_in_mch
