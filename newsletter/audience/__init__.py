"""Recipients: reading the lists that offices keep."""

from newsletter.audience.csv_list import RecipientList, open_list
from newsletter.audience.recipient import Duplicate, Recipient, Refused, distinct

__all__ = ["Duplicate", "Recipient", "RecipientList", "Refused", "distinct", "open_list"]
