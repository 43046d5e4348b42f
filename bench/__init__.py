"""`python -m bench`: the provider against a baseline written as crhelper's README shows, as a table of ratios."""
