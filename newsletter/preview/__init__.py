"""The local rooms for staff: so far the inbox, where a send can be rehearsed end to end."""
