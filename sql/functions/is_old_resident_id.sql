-- is_old_resident_id(number): whether a number has the form of a resident ID as issued until 1999, 15 digits.
SELECT REGEXP_MATCHES($number, '^[0-9]{15}$')
