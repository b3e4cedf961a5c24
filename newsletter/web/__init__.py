"""The pages that subscribers open: view and unsubscribe."""
