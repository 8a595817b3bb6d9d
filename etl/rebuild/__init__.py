"""Past business dates rebuilt in shadow: from landed bytes, held against the record, sent to nobody."""
