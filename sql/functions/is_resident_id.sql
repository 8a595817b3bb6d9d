-- is_resident_id(number): whether a number has the form of a resident ID of 18 characters.
SELECT REGEXP_MATCHES($number, '^[0-9]{17}[0-9X]$')
