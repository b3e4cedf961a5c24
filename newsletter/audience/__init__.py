"""Recipients: reading the lists that offices keep."""
