"""Estimators of scikit-learn, XGBoost and LightGBM that Lepton trains on tables itself. Begin at `model.py`."""
