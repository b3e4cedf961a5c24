"""The ledger, the campaign's life and the SMTP dispatch."""
