-- Facts about conformed birth records that their rules speak of: one row per row of `conformed`.
SELECT
    conformed.*,
    DATE_DIFF('day', CAST(conformed.born_at AS DATE), CAST(conformed.reported_at AS DATE)) AS report_delay_days,
    birth_county.county_code IS NOT NULL AS is_known_birth_county,
    hukou.division_code IS NOT NULL
        OR (hukou_county.county_code IS NOT NULL AND conformed.mother_hukou_division_code NOT LIKE '11%')
        AS is_known_hukou_division,
    residence.division_code IS NOT NULL
        OR (residence_county.county_code IS NOT NULL AND conformed.mother_residence_division_code NOT LIKE '11%')
        AS is_known_residence_division
FROM conformed
LEFT JOIN county AS birth_county ON birth_county.county_code = conformed.birth_division_code
LEFT JOIN division AS hukou ON hukou.division_code = conformed.mother_hukou_division_code
LEFT JOIN county AS hukou_county
    ON hukou_county.county_code = SUBSTR(conformed.mother_hukou_division_code, 1, 6)
    AND is_division_code(conformed.mother_hukou_division_code)
LEFT JOIN division AS residence ON residence.division_code = conformed.mother_residence_division_code
LEFT JOIN county AS residence_county
    ON residence_county.county_code = SUBSTR(conformed.mother_residence_division_code, 1, 6)
    AND is_division_code(conformed.mother_residence_division_code)
