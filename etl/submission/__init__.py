"""Batches for PADIS: outbox, sending, receipts, and the thread back to the source row."""
