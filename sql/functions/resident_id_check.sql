-- resident_id_check(number): check character of a resident ID by GB 11643, from its first 17 digits; NULL if they are no digits.
SELECT SUBSTR('10X98765432', 1 + (
    TRY_CAST(SUBSTR($number, 1, 1) AS INTEGER) * 7
    + TRY_CAST(SUBSTR($number, 2, 1) AS INTEGER) * 9
    + TRY_CAST(SUBSTR($number, 3, 1) AS INTEGER) * 10
    + TRY_CAST(SUBSTR($number, 4, 1) AS INTEGER) * 5
    + TRY_CAST(SUBSTR($number, 5, 1) AS INTEGER) * 8
    + TRY_CAST(SUBSTR($number, 6, 1) AS INTEGER) * 4
    + TRY_CAST(SUBSTR($number, 7, 1) AS INTEGER) * 2
    + TRY_CAST(SUBSTR($number, 8, 1) AS INTEGER) * 1
    + TRY_CAST(SUBSTR($number, 9, 1) AS INTEGER) * 6
    + TRY_CAST(SUBSTR($number, 10, 1) AS INTEGER) * 3
    + TRY_CAST(SUBSTR($number, 11, 1) AS INTEGER) * 7
    + TRY_CAST(SUBSTR($number, 12, 1) AS INTEGER) * 9
    + TRY_CAST(SUBSTR($number, 13, 1) AS INTEGER) * 10
    + TRY_CAST(SUBSTR($number, 14, 1) AS INTEGER) * 5
    + TRY_CAST(SUBSTR($number, 15, 1) AS INTEGER) * 8
    + TRY_CAST(SUBSTR($number, 16, 1) AS INTEGER) * 4
    + TRY_CAST(SUBSTR($number, 17, 1) AS INTEGER) * 2
) % 11, 1)
