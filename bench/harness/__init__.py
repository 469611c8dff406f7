"""The runner of ./dev bench: standard library only. bench/README.md describes what it does."""
