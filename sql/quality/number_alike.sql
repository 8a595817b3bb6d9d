-- quality.number_alike: one row per conformed person whose resident ID may be another one's too: the hash of it is. Who
-- shares a number is among them; numbers are told apart whole by who reads this. Of everyone else eight bytes are held.
SELECT id_number, id_type_code, birth_date
FROM conformed
WHERE id_type_code = '01' AND HASH(id_number) IN (
    SELECT HASH(id_number) FROM conformed WHERE id_type_code = '01' GROUP BY HASH(id_number) HAVING COUNT(*) > 1
)
