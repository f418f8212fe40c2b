"""``demeter evidence``: what photos and people left, as it is stored."""

from __future__ import annotations

from demeter.cli.groups import command_group
from demeter.cli.registers import add_reads
from demeter.photos.registers import EVIDENCE_OF_PHOTOS
from demeter.stock.registers import EVIDENCE_OF_STOCK

app = command_group(
    help="Evidence: sessions, images, detections, lots, movements.", no_args_is_help=True
)
add_reads(app, *EVIDENCE_OF_PHOTOS, *EVIDENCE_OF_STOCK)
