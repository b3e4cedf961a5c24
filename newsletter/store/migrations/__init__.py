"""What brings the tables of an older program to those of this one; run by :mod:`newsletter.store.schema`.

A migration is a file in ``versions``. It says in full what it changes and uses nothing of the program, which goes on changing.
"""
