"""What churn asks over everybody's facts: see lake/asking.py."""

QUESTIONS = {"churn_bases": "chalicelib.churn.bases:count"}
