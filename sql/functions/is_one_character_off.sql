-- is_one_character_off(one, other): whether two names differ in one character, written otherwise, left out or added at an end.
-- Engines count the edit distance of Chinese in bytes or in characters; places compared one by one are the same everywhere.
SELECT (
        LENGTH($one) = LENGTH($other) AND SUBSTR($one, 5) = SUBSTR($other, 5)
        AND CASE WHEN SUBSTR($one, 1, 1) <> SUBSTR($other, 1, 1) THEN 1 ELSE 0 END
            + CASE WHEN SUBSTR($one, 2, 1) <> SUBSTR($other, 2, 1) THEN 1 ELSE 0 END
            + CASE WHEN SUBSTR($one, 3, 1) <> SUBSTR($other, 3, 1) THEN 1 ELSE 0 END
            + CASE WHEN SUBSTR($one, 4, 1) <> SUBSTR($other, 4, 1) THEN 1 ELSE 0 END = 1
    )
    OR (LENGTH($one) = LENGTH($other) + 1 AND (SUBSTR($one, 1, LENGTH($other)) = $other OR SUBSTR($one, 2) = $other))
    OR (LENGTH($other) = LENGTH($one) + 1 AND (SUBSTR($other, 1, LENGTH($one)) = $one OR SUBSTR($other, 2) = $one))
