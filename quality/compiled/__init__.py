"""Great Expectations suites compiled to one query, and the counts given back as its own results."""
