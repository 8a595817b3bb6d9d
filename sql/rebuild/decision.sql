-- rebuild.decision: one row per programme and person about whom something else is decided.
WITH pair AS (
    SELECT
        COALESCE(known.programme_code, rebuilt.programme_code) AS programme_code,
        COALESCE(known.person_id, rebuilt.person_id) AS person_id,
        COALESCE(known.decision_code = 'eligible', FALSE) AS was_eligible,
        COALESCE(rebuilt.decision_code = 'eligible', FALSE) AS is_eligible,
        CASE WHEN known.decision_code = 'eligible' THEN COALESCE(known.amount_fen, 0) ELSE 0 END AS known_fen,
        CASE WHEN rebuilt.decision_code = 'eligible' THEN COALESCE(rebuilt.amount_fen, 0) ELSE 0 END AS rebuilt_fen,
        COALESCE(rebuilt.amount_unit, known.amount_unit) AS amount_unit
    FROM known_decision AS known
    FULL JOIN rebuilt_decision AS rebuilt
        ON known.programme_code = rebuilt.programme_code AND known.person_id = rebuilt.person_id
    WHERE known.decision_code IS DISTINCT FROM rebuilt.decision_code
        OR known.category_code IS DISTINCT FROM rebuilt.category_code
        OR known.amount_fen IS DISTINCT FROM rebuilt.amount_fen
        OR known.amount_unit IS DISTINCT FROM rebuilt.amount_unit
        OR known.missing_document_codes IS DISTINCT FROM rebuilt.missing_document_codes
        OR known.division_code IS DISTINCT FROM rebuilt.division_code
)
SELECT
    programme_code, person_id, amount_unit,
    CASE
        WHEN is_eligible AND NOT was_eligible THEN 'gained'
        WHEN was_eligible AND NOT is_eligible THEN 'lost'
        WHEN is_eligible THEN 'changed'
        ELSE 'undecided'
    END AS change_code,
    CAST(GREATEST(rebuilt_fen - known_fen, 0) AS BIGINT) AS gained_fen,
    CAST(GREATEST(known_fen - rebuilt_fen, 0) AS BIGINT) AS lost_fen
FROM pair
