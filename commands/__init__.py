"""What a person types: each command parses, calls a job, and says what it did."""
