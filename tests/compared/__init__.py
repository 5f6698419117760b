"""`lepton build` beside searches of scikit-learn by plain Optuna and beside AutoGluon: `make builds`."""
