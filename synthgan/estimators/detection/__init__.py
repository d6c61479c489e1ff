"""Odd rows, behind scikit-learn's interface of outlier detectors.

`detector` is `GANOutlierDetector`, `fitted` what a fitted one does, `file` how it is kept.
"""
