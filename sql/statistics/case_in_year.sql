-- statistics.case_in_year: one row per case of `listed_case`, with what its months are in the year up to the business
-- date.
-- A case is in payment in every month from its first to its last; it leaves in the first month without payment.
-- In payment at the end of last year + begun this year - left this year = in payment in this month; suspended ones
-- are among them. The months of a case that is not sound contradict each other.
WITH month AS (
    SELECT
        DATE_TRUNC('month', CAST($business_date AS DATE)) AS this_month,
        DATE_TRUNC('year', CAST($business_date AS DATE)) AS january
),
examined AS (
    SELECT
        listed_case.*, this_month, january,
        DATE_TRUNC('month', start_month) AS begins,
        DATE_TRUNC('month', end_month) + INTERVAL 1 MONTH AS leaves,
        (end_month IS NULL AND state_code <> '3') OR COALESCE(end_month >= start_month, FALSE) AS is_sound
    FROM listed_case
    CROSS JOIN month
)
SELECT
    * EXCLUDE (this_month, january, begins, leaves, is_sound),
    is_sound AND begins < january AND (leaves IS NULL OR leaves >= january) AS was_in_payment,
    is_sound AND begins BETWEEN january AND this_month AS is_begun,
    is_sound AND begins <= this_month AND COALESCE(leaves BETWEEN january AND this_month, FALSE) AS is_left,
    is_sound AND begins <= this_month AND (leaves IS NULL OR leaves > this_month) AS is_in_payment
FROM examined
