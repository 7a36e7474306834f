-- What the connections of a sliced report need: they share the cores already, and a parallel worker
-- would work out again what the others have.
SELECT set_config('max_parallel_workers_per_gather', '0', true)
