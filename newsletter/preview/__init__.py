"""The local rooms for staff: the live preview of an issue, what is wrong with it, and the inbox where a send can be rehearsed."""
