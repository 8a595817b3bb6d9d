-- subsidy.differing_decision: one row: how many persons two sides decide otherwise, or only one of them knows.
SELECT COUNT(*) AS persons
FROM recorded
FULL JOIN replayed ON recorded.person_id = replayed.person_id
WHERE recorded.decision_code IS DISTINCT FROM replayed.decision_code
    OR recorded.category_code IS DISTINCT FROM replayed.category_code
    OR recorded.amount_fen IS DISTINCT FROM replayed.amount_fen
    OR recorded.missing_document_codes IS DISTINCT FROM replayed.missing_document_codes
