-- waiting: the rejected reports of drops of which nothing newer is known, by their `number`.
-- An accepted report is newer by its stamp, or where stamps are equal or missing by its drop; a rejected one only if
-- it came later and its stamp is not older: what waits is never lost in a circle. A row without a key has its content
-- for one: what a later drop sends again stands for it, but equal rows of one date are so many rows.
-- `landing` dates the drops; one that `is_gone` was replaced by another of its date, whose rows it does not answer.
WITH report AS (
    SELECT
        rejected.number,
        rejected.row_key,
        rejected.stamp,
        rejected.is_keyless,
        rejected.landing_id,
        rejected.landing_row,
        landing.dropped_on,
        ROW_NUMBER() OVER (ORDER BY landing.dropped_on, rejected.landing_id, rejected.landing_row, rejected.number) AS place
    FROM rejected
    JOIN landing ON landing.landing_id = rejected.landing_id
),

taken AS (
    SELECT accepted.row_key, accepted.stamp, landing.dropped_on, landing.is_gone
    FROM accepted
    JOIN landing ON landing.landing_id = accepted.landing_id
),

answered AS (
    SELECT DISTINCT report.number
    FROM report
    JOIN taken ON taken.row_key = report.row_key
    WHERE taken.stamp > report.stamp
        OR (
            COALESCE(taken.stamp = report.stamp, TRUE)
            AND (
                taken.dropped_on > report.dropped_on
                OR (taken.dropped_on = report.dropped_on AND NOT taken.is_gone)
            )
        )
),

repeated AS (
    SELECT DISTINCT report.number
    FROM report
    JOIN report AS later ON later.row_key = report.row_key AND later.place > report.place
    WHERE (NOT report.is_keyless AND COALESCE(later.stamp >= report.stamp, TRUE))
        OR (report.is_keyless AND later.dropped_on > report.dropped_on)
        -- Content that is folded again: each of its rows is still one.
        OR (later.landing_id = report.landing_id AND later.landing_row = report.landing_row)
)

SELECT report.number
FROM report
LEFT JOIN answered ON answered.number = report.number
LEFT JOIN repeated ON repeated.number = report.number
WHERE answered.number IS NULL AND repeated.number IS NULL
ORDER BY report.number
