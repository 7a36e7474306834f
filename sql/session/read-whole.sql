-- What read-slices set, set back: a statement that is read whole may have its parallel workers.
SET LOCAL max_parallel_workers_per_gather TO DEFAULT
