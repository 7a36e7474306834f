-- O6: it was this job that made the organization inactive.
s.inactive_reason IN ('trial_ended', 'enterprise_ended')
