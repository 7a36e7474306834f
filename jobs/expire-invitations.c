/* expire-invitations: pending invitations lapse 30 days after they were last sent. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Invitation ID", "invitation_id", COL_ID, 14, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Target", "target", COL_TEXT, 34, false},
    {"Role", "role", COL_TEXT, 10, false},
    {"Sent", "sent_at", COL_INSTANT, 20, false},
    {"Expired At", "expired_at", COL_INSTANT, 20, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Invitations",
     .query = &sql_expire_invitations_report,
     .columns = columns,
     .slices = &sql_expire_invitations_slices,
     .tally = "account",
     .question = "Whose invitations lapsed unanswered?"},
    {0},
};

const struct job job_expire_invitations = {
    .name = "expire-invitations",
    .title = "Expired invitations",
    .summary = "expire invitations 30 days after they were last sent",
    .rules =
        "A pending invitation, to an organization or to a team, expires 30 x 24 hours after it\n"
        "was last sent; resending starts a new 30 days. It holds a seat while it is pending and\n"
        "none from the instant it lapses, even before a run marks it. The row is kept: status\n"
        "expired, closed at the instant it lapsed. Accepted, revoked and already expired\n"
        "invitations are never touched.",
    .kind = JOB_CHANGE,
    .candidates = &sql_expire_invitations_candidates,
    .refuse = &sql_expire_invitations_refuse,
    .cut = &sql_expire_invitations_cut,
    .steps = {{.sql = &sql_expire_invitations_change, .explain = &sql_expire_invitations_explain}},
    .tables = tables,
    .notes = {NOTE_PAST},
};
