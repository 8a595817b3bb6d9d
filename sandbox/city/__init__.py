"""The invented city: divisions that exist, people who do not."""
