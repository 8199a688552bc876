"""What `scripts/shape` looks at: who imports whom, words that must not be there, and sizes."""
