"""The pages of docs/ that are made from the code: one file for each, named like it."""
