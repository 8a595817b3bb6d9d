-- resident_id_digits(number): the first 17 characters of a number as a whole number; NULL if they are none.
SELECT TRY_CAST(SUBSTR($number, 1, 17) AS BIGINT)
