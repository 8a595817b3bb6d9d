"""What lies outside the process: databases, SFTP servers, the lake, the registry."""
