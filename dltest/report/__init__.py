"""What people and machines read of finished runs: JSON, JUnit, the matrix, lines of events."""
