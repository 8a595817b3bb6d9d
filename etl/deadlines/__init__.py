"""What is awaited until when: drops, receipts, steps; and who is told when it does not come."""
