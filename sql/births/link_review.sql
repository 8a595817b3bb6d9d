-- births.link_review: one row per birth and child of which a person is asked whether they are one, and why again.
--
-- The model cannot tell (no reason), or a word on record no longer rests on what it rested on; that word holds meanwhile.
WITH doubted AS (
    SELECT
        standing_verdict.*,
        LIST_FILTER([
            CASE WHEN pair_evidence.evidence_sha256 <> standing_verdict.evidence_sha256 THEN 'evidence_changed' END,
            CASE WHEN is_contradicted THEN 'contradicted' END,
            CASE WHEN rule_version <> $rule_version THEN 'rules_changed' END
        ], lambda reason: reason IS NOT NULL) AS reason_codes
    FROM standing_verdict
    JOIN pair_evidence USING (mch_record_id, relation_id)
),
asked_again AS (
    -- What people can look at is limited: rules that change make nobody look at the words of years in one night.
    SELECT *
    FROM doubted
    WHERE LEN(reason_codes) > 0
    QUALIFY reason_codes <> ['rules_changed'] OR SUM(CASE WHEN reason_codes = ['rules_changed'] THEN 1 ELSE 0 END) OVER (
        ORDER BY business_date, decided_at, mch_record_id, relation_id ROWS UNBOUNDED PRECEDING
    ) <= $reviews_at_most
),
asked AS (
    SELECT mch_record_id, relation_id, CAST(NULL AS VARCHAR) AS verdict_code, match_weight,
        CAST([] AS VARCHAR[]) AS reason_codes
    FROM link
    WHERE band_code = 'review'
    UNION ALL
    SELECT mch_record_id, relation_id, verdict_code, NULL, reason_codes FROM asked_again
)
SELECT
    SUBSTR(SHA256('birth:' || folded_birth.first_record_id || ':' || CAST(asked.relation_id AS VARCHAR)), 1, 32) AS match_id,
    asked.mch_record_id, asked.relation_id, asked.verdict_code, asked.match_weight, asked.reason_codes
FROM asked
JOIN folded_birth USING (mch_record_id)
ORDER BY match_id
