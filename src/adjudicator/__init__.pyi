from adjudicator.amounts.price import price_columns as price_columns
from adjudicator.claim.engine import Engine as Engine
from adjudicator.claim.local import price_message as price_message
from adjudicator.client import Client as Client
from adjudicator.errors import AdjudicatorError as AdjudicatorError
from adjudicator.errors import Problem as Problem
from adjudicator.rules.bundle import Bundle as Bundle
from adjudicator.rules.bundle import load_bundle as load_bundle

__version__: str
__all__ = ["AdjudicatorError", "Bundle", "Client", "Engine", "Problem", "load_bundle", "price_columns", "price_message"]
