-- Facts about conformed persons that their rules speak of: one row per row of `conformed`.
SELECT
    conformed.*,
    shared_number.id_number IS NOT NULL AS is_number_shared,
    COALESCE(shared_number.owners = 1 AND SUBSTR(conformed.id_number, 7, 8) = date_digits(conformed.birth_date), FALSE)
        AS is_number_owner,
    COALESCE(shared_number.owners > 0 AND SUBSTR(conformed.id_number, 7, 8) <> date_digits(conformed.birth_date), FALSE)
        AS is_copy_of_number,
    id_county.county_code IS NOT NULL AS is_known_id_county,
    -- Beyond the city only the county of a code can be told.
    hukou.division_code IS NOT NULL OR conformed.hukou_division_code IS NULL
        OR (hukou_county.county_code IS NOT NULL AND conformed.hukou_division_code NOT LIKE '11%')
        AS is_known_hukou_division,
    residence.division_code IS NOT NULL OR conformed.residence_division_code IS NULL
        OR (residence_county.county_code IS NOT NULL AND conformed.residence_division_code NOT LIKE '11%')
        AS is_known_residence_division,
    managing.division_code IS NOT NULL OR conformed.managing_division_code IS NULL AS is_known_managing_division
FROM conformed
LEFT JOIN shared_number ON shared_number.id_number = conformed.id_number AND conformed.id_type_code = '01'
LEFT JOIN county AS id_county ON id_county.county_code = SUBSTR(conformed.id_number, 1, 6)
LEFT JOIN division AS hukou ON hukou.division_code = conformed.hukou_division_code
LEFT JOIN county AS hukou_county
    ON hukou_county.county_code = SUBSTR(conformed.hukou_division_code, 1, 6)
    AND is_division_code(conformed.hukou_division_code)
LEFT JOIN division AS residence ON residence.division_code = conformed.residence_division_code
LEFT JOIN county AS residence_county
    ON residence_county.county_code = SUBSTR(conformed.residence_division_code, 1, 6)
    AND is_division_code(conformed.residence_division_code)
LEFT JOIN division AS managing ON managing.division_code = conformed.managing_division_code
