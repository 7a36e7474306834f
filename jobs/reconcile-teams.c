/* reconcile-teams: memberships follow the teams' links, and teams and people follow SCIM. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false}, {"Account", "account", COL_TEXT, 30, false},
    {"Kind", "kind", COL_TEXT, 16, false},           {"Key", "key", COL_TEXT, 26, false},
    {"Action", "action", COL_TEXT, 18, false},       {"Role", "role", COL_TEXT, 10, false},
    {"Note", "note", COL_TEXT, 70, false},           {0},
};

static const struct report_table tables[] = {
    {.sheet = "Teams",
     .query = &sql_reconcile_teams_report,
     .columns = columns,
     .tally = "action",
     .question = "What was put right, and what was left alone?"},
    {0},
};

const struct job job_reconcile_teams = {
    .name = "reconcile-teams",
    .title = "Teams and memberships",
    .summary = "make memberships follow teams; carry out what SCIM has told",
    .rules =
        "Every member of a team has access to every organization linked to it, with the team's\n"
        "role; of several teams the highest holds. Memberships that are missing are added, those\n"
        "whose only source is gone are ended; direct ones are never touched. A team deleted\n"
        "through SCIM is deleted here with its members and links, and its pending invitations\n"
        "are revoked; one made by hand stays (unless [rules] manual_team_delete). A person\n"
        "deprovisioned through SCIM loses what SCIM gave: team memberships and the license; a\n"
        "license of another source stays and is reported. The account's last owner stays, and\n"
        "the event waits. Where the token of a connection in use has expired, the account is\n"
        "left alone.",
    .kind = JOB_CHANGE,
    .candidates = &sql_reconcile_teams_candidates,
    .skipped_because = "Left alone: expired tokens, last owners, teams made by hand",
    .refuse = &sql_reconcile_teams_refuse,
    .cut = &sql_reconcile_teams_cut,
    .steps = {{.sql = &sql_reconcile_teams_scim, .explain = &sql_reconcile_teams_explain_scim},
              {.sql = &sql_reconcile_teams_memberships, .explain = &sql_reconcile_teams_explain}},
    .tables = tables,
    .notes = {NOTE_PAST},
};
