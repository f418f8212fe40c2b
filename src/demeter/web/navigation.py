"""Where one can go: the side bar of a desk, the bottom bar of a phone, and the page of the rest."""

from __future__ import annotations

from dataclasses import dataclass

from demeter.accounts.identity import Identity
from demeter.core.permissions import ROLES, Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the navigation; its name is the text ``nav.KEY``.

    ``badge`` is where its number comes from, which the page asks for by itself.
    """

    key: str
    path: str
    icon: str
    group: str  # the text ``nav.group.GROUP`` is its heading; "day" has none
    permission: Permission = Permission.SEE
    on_bar: bool = False
    badge: str | None = None

    def is_here(self, path: str) -> bool:
        """Whether a page belongs to this place."""
        if self.path == "/":
            return path == "/" or path.startswith("/sessions")
        return path == self.path or path.startswith(f"{self.path}/")


WAITING = "/parts/waiting"  # how many sessions wait for a person
PLACES = (
    Place("today", "/", "sun", "day", on_bar=True),
    Place("count", "/count", "camera", "day", Permission.REPORT, on_bar=True),
    Place("review", "/review", "list-checks", "day", Permission.DECIDE, badge=WAITING),
    Place("beds", "/beds", "layout-grid", "day", on_bar=True),
    Place("stock", "/stock", "sprout", "day", on_bar=True),
    Place("gallery", "/gallery", "images", "day"),
    Place("growing", "/growing", "flower-2", "set_up"),
    Place("places", "/places", "map", "set_up"),
    Place("catalog", "/catalog", "tags", "set_up"),
    Place("people", "/people", "users", "set_up"),
    Place("nursery", "/nursery", "settings", "set_up", Permission.ADMINISTER),
    Place("changes", "/changes", "history", "set_up", Permission.ADMINISTER),
    Place("webhooks", "/webhooks", "webhook", "set_up", Permission.ADMINISTER),
    Place("phones", "/phones", "smartphone", "set_up"),
    Place("jobs", "/jobs", "activity", "set_up", Permission.DECIDE),
    Place("evidence", "/evidence", "database", "set_up"),
    Place("components", "/components", "component", "set_up", Permission.ADMINISTER),
    Place("api", "/api/v1/docs", "book-open", "set_up"),
    Place("more", "/more", "menu", "bar", on_bar=True),
)


def places(acting: Identity | None) -> list[Place]:
    """The pages that this person may open; none where nobody is in."""
    if acting is None:
        return []
    return [place for place in PLACES if acting.role in ROLES[place.permission]]
