"""Estimators of scikit-learn, XGBoost and LightGBM as Lepton models: their parameters as named tensors, never pickled.

It imports what `models/` does; skops, XGBoost and LightGBM late, where a model needs them. Begin at `model.py`;
`parts.py` takes an estimator apart and puts it together, `trust.py` says of which classes one may be.
"""
