-- Facts about conformed registrations that their rules speak of: one row per row of `conformed`.
-- Beyond the city only the county of a code can be told.
SELECT
    conformed.*,
    hukou.division_code IS NOT NULL OR conformed.hukou_division_code IS NULL
        OR (hukou_county.county_code IS NOT NULL AND conformed.hukou_division_code NOT LIKE '11%')
        AS is_known_hukou_division,
    residence.division_code IS NOT NULL OR conformed.residence_division_code IS NULL
        OR (residence_county.county_code IS NOT NULL AND conformed.residence_division_code NOT LIKE '11%')
        AS is_known_residence_division
FROM conformed
LEFT JOIN division AS hukou ON hukou.division_code = conformed.hukou_division_code
LEFT JOIN county AS hukou_county
    ON hukou_county.county_code = SUBSTR(conformed.hukou_division_code, 1, 6)
    AND is_division_code(conformed.hukou_division_code)
LEFT JOIN division AS residence ON residence.division_code = conformed.residence_division_code
LEFT JOIN county AS residence_county
    ON residence_county.county_code = SUBSTR(conformed.residence_division_code, 1, 6)
    AND is_division_code(conformed.residence_division_code)
