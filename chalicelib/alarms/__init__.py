"""Alarms and dead letters in words, sent to those who look after the stack."""
