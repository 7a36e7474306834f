-- Nobody has changed the row `t` since the run: it holds what the run left (`d.after`); and one that the
-- run inserted holds nothing else, but for its own id and what a new row has by default.
(to_jsonb(t) @> d.after
 AND (NOT d.inserted
      OR jsonb_strip_nulls(to_jsonb(t) - ARRAY(SELECT jsonb_object_keys(d.after)))
           - ARRAY['subscription_id', 'license_id', 'export_id']
         <@ '{"cancel_at_period_end": false}'))
