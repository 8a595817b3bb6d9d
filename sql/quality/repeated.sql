-- quality.repeated: how many rows of one partition have a value that another row has too. Values are told apart
-- whole; their hash only decides the partition, and which few of them must be looked at.
WITH valued AS (
    SELECT value
    FROM received_value
    WHERE value IS NOT NULL AND HASH(value) % $partitions = $partition
),
shared_hash AS (
    SELECT HASH(value) AS value_hash
    FROM valued
    GROUP BY HASH(value)
    HAVING COUNT(*) > 1
),
repeated_value AS (
    SELECT COUNT(*) AS row_count
    FROM valued
    WHERE HASH(value) IN (SELECT value_hash FROM shared_hash)
    GROUP BY value
    HAVING COUNT(*) > 1
)
SELECT COALESCE(SUM(row_count), 0) AS row_count
FROM repeated_value
