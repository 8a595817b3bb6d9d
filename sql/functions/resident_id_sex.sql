-- resident_id_sex(number): sex code that a resident ID of 18 characters tells: its 17th digit is odd for men.
SELECT CASE TRY_CAST(SUBSTR($number, 17, 1) AS INTEGER) % 2 WHEN 1 THEN '1' WHEN 0 THEN '2' END
