-- quality.repeated: how many rows of one partition have a value that another row has too. The hash only decides
-- the partition; within it values are told apart whole.
WITH repeated_value AS (
    SELECT COUNT(*) AS row_count
    FROM received_value
    WHERE value IS NOT NULL AND HASH(value) % CAST($partitions AS UBIGINT) = CAST($partition AS UBIGINT)
    GROUP BY value
    HAVING COUNT(*) > 1
)
SELECT COALESCE(SUM(row_count), 0) AS row_count
FROM repeated_value
