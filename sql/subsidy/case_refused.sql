-- case_refused: one row per row of the drops in quarantine whose case has not come right since, in order of receipt.
SELECT quarantined.case_no AS case_number, landing_id, landing_row, failed_rules AS reason_codes
FROM quarantined
ANTI JOIN beneficiary_case ON quarantined.case_no = beneficiary_case.case_number
ORDER BY landing_id, landing_row
