"""Invitations expired as an application's worker does it: a statement, an audit row and a commit each.

    expire.py DATABASE AS-OF ROWS      expires the first ROWS that are due

The audit row goes where lapse keeps its own.
"""

import sys

import psycopg2
from psycopg2.extras import Json

database, as_of, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = psycopg2.connect(dbname=database)
cursor = connection.cursor()
cursor.execute(
    """SELECT account_id, invitation_id FROM saas.invitations
       WHERE status = 'pending' AND coalesce(expires_at, sent_at + interval '720 hours') <= %s
       ORDER BY account_id, invitation_id LIMIT %s""",
    (as_of, rows))
due = cursor.fetchall()
connection.commit()
for account_id, invitation_id in due:
    cursor.execute(
        """UPDATE saas.invitations
           SET status = 'expired', closed_at = coalesce(expires_at, sent_at + interval '720 hours')
           WHERE account_id = %s AND invitation_id = %s AND status = 'pending' RETURNING closed_at""",
        (account_id, invitation_id))
    (closed_at,) = cursor.fetchone()
    cursor.execute(
        """INSERT INTO lapse.changes (account_id, run_id, batch_no, entity, entity_id, before, after,
                                      reason, effective_at)
           VALUES (%s, 1, 1, 'invitations', %s, %s, %s, 'invitation_expired', %s)""",
        (account_id, str(invitation_id), Json({"status": "pending", "closed_at": None}),
         Json({"status": "expired", "closed_at": closed_at.isoformat()}), closed_at))
    connection.commit()
