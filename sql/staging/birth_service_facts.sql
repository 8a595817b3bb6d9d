-- Facts about conformed registrations that their rules speak of: one row per row of `conformed`.
-- Beyond the city only the county of a code can be told.
SELECT
    conformed.*,
    wife_hukou.division_code IS NOT NULL OR conformed.wife_hukou_division_code IS NULL
        OR (wife_hukou_county.county_code IS NOT NULL AND conformed.wife_hukou_division_code NOT LIKE '11%')
        AS is_known_wife_hukou_division,
    wife_residence.division_code IS NOT NULL OR conformed.wife_residence_division_code IS NULL
        OR (wife_residence_county.county_code IS NOT NULL AND conformed.wife_residence_division_code NOT LIKE '11%')
        AS is_known_wife_residence_division,
    husband_hukou.division_code IS NOT NULL OR conformed.husband_hukou_division_code IS NULL
        OR (husband_hukou_county.county_code IS NOT NULL AND conformed.husband_hukou_division_code NOT LIKE '11%')
        AS is_known_husband_hukou_division,
    handling.division_code IS NOT NULL OR conformed.handling_division_code IS NULL
        OR (handling_county.county_code IS NOT NULL AND conformed.handling_division_code NOT LIKE '11%')
        AS is_known_handling_division
FROM conformed
LEFT JOIN division AS wife_hukou ON wife_hukou.division_code = conformed.wife_hukou_division_code
LEFT JOIN county AS wife_hukou_county
    ON wife_hukou_county.county_code = SUBSTR(conformed.wife_hukou_division_code, 1, 6)
    AND is_division_code(conformed.wife_hukou_division_code)
LEFT JOIN division AS wife_residence ON wife_residence.division_code = conformed.wife_residence_division_code
LEFT JOIN county AS wife_residence_county
    ON wife_residence_county.county_code = SUBSTR(conformed.wife_residence_division_code, 1, 6)
    AND is_division_code(conformed.wife_residence_division_code)
LEFT JOIN division AS husband_hukou ON husband_hukou.division_code = conformed.husband_hukou_division_code
LEFT JOIN county AS husband_hukou_county
    ON husband_hukou_county.county_code = SUBSTR(conformed.husband_hukou_division_code, 1, 6)
    AND is_division_code(conformed.husband_hukou_division_code)
LEFT JOIN division AS handling ON handling.division_code = conformed.handling_division_code
LEFT JOIN county AS handling_county
    ON handling_county.county_code = SUBSTR(conformed.handling_division_code, 1, 6)
    AND is_division_code(conformed.handling_division_code)
