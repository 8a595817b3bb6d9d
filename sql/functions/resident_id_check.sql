-- resident_id_check(number): check character of a resident ID by GB 11643, from its first 17 characters; NULL if they are no number.
-- The sum of digits by weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2, modulo 11: a digit is a prefix less ten times the
-- prefix before it, and ten is the same as -1, so that each prefix has its own weight and the weight of the next digit.
SELECT SUBSTR('10X98765432', 1 + CAST((
    5 * (resident_id_digits($number) // 10000000000000000)
    + 8 * (resident_id_digits($number) // 1000000000000000)
    + 4 * (resident_id_digits($number) // 100000000000000)
    + 2 * (resident_id_digits($number) // 10000000000000)
    + 1 * (resident_id_digits($number) // 1000000000000)
    + 6 * (resident_id_digits($number) // 100000000000)
    + 3 * (resident_id_digits($number) // 10000000000)
    + 7 * (resident_id_digits($number) // 1000000000)
    + 9 * (resident_id_digits($number) // 100000000)
    + 10 * (resident_id_digits($number) // 10000000)
    + 5 * (resident_id_digits($number) // 1000000)
    + 8 * (resident_id_digits($number) // 100000)
    + 4 * (resident_id_digits($number) // 10000)
    + 2 * (resident_id_digits($number) // 1000)
    + 1 * (resident_id_digits($number) // 100)
    + 6 * (resident_id_digits($number) // 10)
    + 2 * resident_id_digits($number)
) % 11 AS INTEGER), 1)
