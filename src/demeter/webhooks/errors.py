"""What webhooks refuse."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound


class WebhookNotFound(NotFound):
    """No endpoint has this number."""

    code = "webhook_not_found"
    title = "No such webhook"
    next_action = "Look at the list of webhooks."


class WebhookDeliveryNotFound(NotFound):
    """No delivery of this endpoint has this number."""

    code = "webhook_delivery_not_found"
    title = "No such delivery"
    next_action = "Look at the endpoint's list again."


class WebhookNameTaken(Conflict):
    """Another endpoint has this name."""

    code = "webhook_name_taken"
    title = "Another webhook has this name"
    next_action = "Choose another name."


class WebhookAddressRefused(InvalidInput):
    """An address that Demeter may not call."""

    code = "webhook_address_refused"
    title = "This address may not be called"
    next_action = (
        "Name an https address that everybody can reach, or allow its network in "
        "DEMETER_WEBHOOK_NETWORKS."
    )
