"""What the end-to-end tests stand on: real processes on loopback ports, a client of the wire contract, the real
sync engine, and comparison of what a sync gave."""
