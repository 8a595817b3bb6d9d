-- subsidy.open_decision: the decisions of one programme that somebody acts on: eligible, or unknown.
SELECT person_id, decision_code, category_code, amount_fen, amount_unit, hukou_division_code, missing_document_codes
FROM decision
WHERE decision_code <> 'ineligible'
ORDER BY person_id
