-- O4: a personal workspace never lapses, unless a setting says so.
(NOT coalesce(s.is_personal, false) OR :'personal_workspace_can_lapse'::boolean)
