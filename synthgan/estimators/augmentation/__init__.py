"""New rows for a learner: a sampler beside imbalanced-learn's, and estimators that wrap others.

`targets` reads what is to be predicted, `tables` keeps the caller's types, `strategies` says how
many rows each class gets, `generators` and `supply` draw them, `quality` chooses among them.
`sampler` is all of that as `GANSampler`. `recipes`, `tasks`, `trials` and `deciding` find out
whether new rows help at all, for `wrapping` and `wrapped`, in which `AugmentedClassifier` and
`AugmentedRegressor` live.
"""
