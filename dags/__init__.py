"""When things run: one thin file per process."""
