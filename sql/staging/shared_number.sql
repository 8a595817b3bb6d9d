-- staging.shared_number: one row per resident ID that several conformed persons have, with how many of them have
-- the birth date that the number tells. Whether it is a valid number is asked of these few alone.
SELECT repeated.id_number, repeated.owners
FROM (
    SELECT
        id_number,
        SUM(CASE WHEN SUBSTR(id_number, 7, 8) = date_digits(birth_date) THEN 1 ELSE 0 END) AS owners
    FROM conformed
    WHERE id_type_code = '01'
    GROUP BY id_number
    HAVING COUNT(*) > 1
) AS repeated
WHERE is_resident_id(repeated.id_number)
