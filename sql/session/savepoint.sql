-- One report's own part of the snapshot: its failure leaves the others theirs.
SAVEPOINT report
