-- T4: the base subscription under a trial that has just ended lapses in the same transaction.
WITH
--include just-ended
,
--include lapse
