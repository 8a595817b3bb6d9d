"""What happens to the data; every step runs without Airflow."""
