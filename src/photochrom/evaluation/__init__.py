"""Honest numbers: metrics, protocols, the report and the human test.

    from photochrom.evaluation.evaluator import evaluate
    from photochrom.evaluation.predictors import ModelPredictor

Nothing is imported here, so that a metric costs no torch and no plot.
"""
