"""What travels between the two processes, and the tables that both ends keep equal."""
