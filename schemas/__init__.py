"""What is promised: contracts, code sets, divisions, receiver profiles, registry tables."""
