"""The jobs that send what is due, and let go of what is old.

Their queue is their own: a receiver that hangs holds up no photo.
"""

from __future__ import annotations

from demeter.core import jobs, logs
from demeter.core.db import transaction
from demeter.core.errors import chain
from demeter.core.retry import may_pass
from demeter.webhooks import sending

log = logs.get(__name__)


@jobs.app.periodic(cron="* * * * * */5")  # seconds are the sixth field
@jobs.app.task(name="send_webhooks", queue="webhooks", queueing_lock="send_webhooks")
def send_webhooks(timestamp: int) -> None:
    """Every five seconds; a receiver that hangs costs ten at most, and less and less often."""
    del timestamp
    try:
        sending.send_due()
    except Exception as error:
        if not may_pass(error):
            raise
        log.warning("webhooks_postponed", error=chain(error))  # the next job is on its way


@jobs.app.periodic(cron="23 * * * *")
@jobs.app.task(name="forget_webhooks", queue="webhooks", queueing_lock="forget_webhooks")
def forget_webhooks(timestamp: int) -> None:
    """Each hour."""
    del timestamp
    with transaction() as session:
        sending.forget_old(session)
