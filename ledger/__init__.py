"""The ledger: commands are decided and their events become facts. Begin at `transaction.py`.

It may import the domain and the facts (`events/`), and nothing above them.
"""

from .folds import Folds as Folds
from .ledger import Ledger as Ledger
from .transaction import Answer as Answer
from .transaction import Receipt as Receipt
from .transaction import Request as Request
from .transaction import receipt as receipt
