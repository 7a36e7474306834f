-- A part of the transaction: its failure leaves what came before.
SAVEPOINT part
