"""Source to landing: snapshots of databases and drops of files."""
