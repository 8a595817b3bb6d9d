-- thread_landed: the row of `relation` that came from data row $landing_row of landing $landing_id; at most one.
SELECT * FROM relation WHERE landing_id = $landing_id AND landing_row = $landing_row
