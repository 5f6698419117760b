"""The ledger: commands are decided and their events become facts. Begin at `transaction.py`.

It may import the domain and the facts (`events/`), and nothing above them.
"""

from .folds import Folds as Folds
from .ledger import Ledger as Ledger
from .request import Answer as Answer
from .request import Receipt as Receipt
from .request import Request as Request
from .request import receipt as receipt
