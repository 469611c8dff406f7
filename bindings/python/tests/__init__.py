"""The tests of the Python binding; ../run-tests runs them all."""
