"""What is true of the invented city, written where the pipeline never reads."""
