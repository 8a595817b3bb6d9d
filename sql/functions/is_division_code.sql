-- is_division_code(code): whether a code has the form of a division, 12 digits.
SELECT REGEXP_MATCHES($code, '^[0-9]{12}$')
