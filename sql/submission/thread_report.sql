-- thread_report: the staged reports of a birth, those with a record id in `wanted`, by record id.
SELECT mch_birth.* FROM mch_birth JOIN wanted USING (record_id)
ORDER BY record_id
