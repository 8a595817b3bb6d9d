-- births.calibration: one row per band of predicted probability that holds pairs: how many, what was predicted, how many are one child.
SELECT
    calibration_band.least,
    calibration_band.most,
    COUNT(*) AS pairs,
    AVG(judged_pair.probability) AS predicted,
    COUNT(CASE WHEN judged_pair.is_one THEN 1 END) AS ones
FROM judged_pair
JOIN calibration_band
    ON judged_pair.probability >= calibration_band.least
    AND (judged_pair.probability < calibration_band.most OR calibration_band.most = 1)
GROUP BY calibration_band.least, calibration_band.most
ORDER BY calibration_band.least
