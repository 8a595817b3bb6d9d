"""Eligibility for 奖励扶助 (J) and 特别扶助 (T), clause by clause."""
