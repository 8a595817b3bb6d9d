-- Facts about conformed cases that their rules speak of: one row per row of `conformed`.
SELECT
    conformed.*,
    hukou.division_code IS NOT NULL OR conformed.hukou_division_code IS NULL
        OR (hukou_county.county_code IS NOT NULL AND conformed.hukou_division_code NOT LIKE '11%')
        AS is_known_hukou_division
FROM conformed
LEFT JOIN division AS hukou ON hukou.division_code = conformed.hukou_division_code
LEFT JOIN county AS hukou_county
    ON hukou_county.county_code = SUBSTR(conformed.hukou_division_code, 1, 6)
    AND is_division_code(conformed.hukou_division_code)
