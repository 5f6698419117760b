"""Studies as Optuna uses them: its storage over the ledger. Begin at `storage.py`.

It imports the ledger and the domain; Optuna is named here alone, and imported by its submodules: where the working
folder stands first on the path, the bare name would be the package's own `optuna.py`.
"""
