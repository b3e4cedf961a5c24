"""One file a command group: arguments in, words out, nothing else."""
