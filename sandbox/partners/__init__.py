"""Partners of the sandbox city that answer over real SFTP: MCH's drops and the PADIS gateway."""
