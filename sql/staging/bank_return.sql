-- staging.bank_return, rows of one drop: one row per received payment; every column passes from `typed` unchanged.
SELECT typed.payment_id
FROM typed
