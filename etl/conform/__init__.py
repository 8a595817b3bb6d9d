"""Landing to staging: types, codes, names, identity numbers, divisions, quarantine."""
