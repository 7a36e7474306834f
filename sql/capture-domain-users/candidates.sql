-- What the job looks at: the people that capture is for. Those for whom no seat is left wait (V2).
WITH
--include captures-due
SELECT count(*) AS looked_at, count(*) FILTER (WHERE NOT d.has_seat) AS skipped
FROM captures_due d
