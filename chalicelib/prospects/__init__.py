"""Prospects (手机号拓客): phone numbers of people who may become customers, guides' daily tasks."""
