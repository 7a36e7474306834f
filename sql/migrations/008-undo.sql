-- What was undone: an audit row, the run that undid it, and the row of that run's that did. An undo that is
-- itself undone takes its rows back.
CREATE TABLE lapse.undone (
  account_id bigint NOT NULL,
  change_id bigint NOT NULL,
  undo_run bigint NOT NULL,
  entity text NOT NULL,
  by_id text NOT NULL,
  PRIMARY KEY (account_id, change_id)
);
CREATE INDEX undone_run ON lapse.undone (undo_run);
