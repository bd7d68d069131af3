"""The token issuer behind its port, and the tokens that dltest itself goes by."""

from dltest.lake.identity.issuer import Issuer
from dltest.lake.identity.wallet import Wallet, open_wallet

__all__ = ["Issuer", "Wallet", "open_wallet"]
