-- overlap: one row: from which stamp on rows are read again. One day before the watermark of the pull
-- before, or further back to the oldest stamp that has appeared since, at most seven days.
SELECT
    GREATEST(
        LEAST(MIN(swept.stamp), $watermark::TIMESTAMP - INTERVAL 1 DAY),
        $watermark::TIMESTAMP - INTERVAL 7 DAY
    ) AS overlap_from
FROM swept
SEMI JOIN stamp_difference ON stamp_difference.row_key IS NOT DISTINCT FROM swept.row_key
