"""The scikit-learn border: estimators that learn whole tables."""
