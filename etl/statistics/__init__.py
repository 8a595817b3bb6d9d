"""Four-level cubes, workbooks and the summary of a night."""
