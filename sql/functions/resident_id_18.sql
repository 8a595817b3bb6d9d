-- resident_id_18(number): a resident ID of 15 digits lengthened to 18 characters by GB 11643; any other number as it is.
SELECT CASE
    WHEN is_old_resident_id($number)
        THEN SUBSTR($number, 1, 6) || '19' || SUBSTR($number, 7, 9)
            || resident_id_check(SUBSTR($number, 1, 6) || '19' || SUBSTR($number, 7, 9))
    ELSE $number
END
