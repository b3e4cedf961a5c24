"""The set-up of an office -> what is in order, what is not, and how to mend it."""

from newsletter.doctor.examine import examine_setup
from newsletter.doctor.verdict import Told

__all__ = ["Told", "examine_setup"]
