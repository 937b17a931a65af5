SECRET = "a secret of the tests, as long as one has to be"
