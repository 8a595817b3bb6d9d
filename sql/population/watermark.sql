-- watermark: one row: the newest stamp before $until among the rows that were read.
SELECT MAX(stamp) AS watermark FROM read_row WHERE stamp < $until
