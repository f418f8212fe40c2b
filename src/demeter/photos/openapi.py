"""What the OpenAPI document says beyond types: the upload's form, problems and examples."""

from __future__ import annotations

from typing import Any

_SESSION = "3f0e7c2a-6b1d-4d0b-9d3e-0a5f1c9b7e21"
_POLL = f"/api/v1/photos/sessions/{_SESSION}"


UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 100,
                            "items": {"type": "string", "format": "binary"},
                            "description": "1 to 100 photos: JPEG, PNG, WebP, HEIC, AVIF or TIFF, "
                            "50 MB each. The fields `file`, `photo` and `photos` do as well.",
                        },
                        "location_code": {
                            "type": "string",
                            "description": "Which location the photos show. Without it a label "
                            "in the photo or its GPS position decides, else a person is asked.",
                            "examples": ["NAVE1-C03"],
                        },
                        "location_id": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                        "storage_location_id": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 2**53 - 1,
                            "description": "the same as `location_id`",
                        },
                        "captured_at": {
                            "type": "string",
                            "description": "When the photos were taken, ISO 8601; without an "
                            "offset it is the site's time, a date alone is the end of that day or "
                            "now. Without it the camera's own time.",
                            "examples": ["2026-05-04T10:30"],
                        },
                        "user": {"type": "string", "description": "who uploads, by username"},
                        "upload_source": {"type": "string", "enum": ["web", "mobile", "api"]},
                    },
                }
            }
        },
    }
}


def _example(value: Any, description: str = "Successful Response") -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": value}}}


UPLOADED: dict[int | str, dict[str, Any]] = {
    202: _example(
        {
            "session_id": _SESSION,
            "status": "pending",
            "is_new": True,
            "location_code": "NAVE1-C03",
            "reason_code": None,
            "next_action": None,
            "warnings": [],
            "notices": [],
            "poll_url": _POLL,
            "watch_url": f"{_POLL}/events",
            "page_url": f"/sessions/{_SESSION}",
        },
        "The photos are safe; a list where they fall on several locations",
    )
}

_SUMMARY = {
    "session_id": _SESSION,
    "status": "completed",
    "reason_code": None,
    "next_action": None,
    "attempt": 1,
    "progress": 1.0,
    "created_at": "2026-05-04T13:31:07.120482Z",
    "captured_at": "2026-05-04T13:30:00Z",
    "posted_at": "2026-05-04T13:31:29.778105Z",
    "total": 449,
    "total_detected": 412,
    "total_estimated": 37,
    "total_empty_containers": 5,
    "interval_90": [431, 468],
    "poll_url": _POLL,
    "page_url": f"/sessions/{_SESSION}",
}

EXAMPLE_PAGE: dict[int | str, dict[str, Any]] = {
    200: _example(
        {
            "items": [
                _SUMMARY | {"location_code": "NAVE1-C03", "photos": 1, "thumbnail_url": None}
            ],
            "next_cursor": "s1a4",
        }
    )
}

_BIN = {"bin_id": 51, "code": "NAVE1-C03-ML-SEGMENT1-20260504T133107120482Z"}
_MOVEMENT = {
    "id": 903,
    "movement_id": "0b1e6a52-7d0f-4b58-8a0c-5a1f2f6f3c11",
    "movement_type": "foto",
    "source_type": "ia",
    "quantity": 24,
    "occurred_at": "2026-05-04T13:30:00Z",
    "batch_id": 77,
    "batch_code": "NAVE1-C03-ML-SEGMENT1-B1",
    "bin": _BIN,
    "reverses_movement_id": None,
}

EXAMPLE_SESSION: dict[int | str, dict[str, Any]] = {
    200: _example(
        _SUMMARY
        | {
            "is_end": True,
            "unit": "plants",
            "error_message": None,
            "reasons": [],
            "warnings": [],
            "notices": [],
            "captured_at_source": "exif",
            "uploaded_by": "maria",
            "location": {
                "location_id": 12,
                "code": "NAVE1-C03",
                "name": "Claro 3",
                "area_code": "NAVE1-NORTE",
                "warehouse_code": "NAVE1",
            },
            "requested_location_id": 12,
            "requested_location_code": "NAVE1-C03",
            "suggestions": [],
            "unknown_reason": None,
            "avg_confidence": 0.81,
            "validated": False,
            "validated_by": None,
            "validation_date": None,
            "images": [],
            "containers": [
                {
                    "index": 1,
                    "image_id": "9a8f4b1e-52f6-4f0e-a9c7-3f1d0a7b5c90",
                    "seen": True,
                    "container_type": "segment",
                    "machine_detected": 412,
                    "machine_estimated": 37,
                    "machine_empty": 5,
                    "unknown_reason": None,
                    "unknown_notice": None,
                    "human_corrected": None,
                    "answer": 449,
                    "interval_90": [431, 468],
                    "residual_share": 0.06,
                    "confidence": 0.92,
                    "bin": _BIN,
                    "ledger_before": 425,
                    "difference": 24,
                    "movement": _MOVEMENT,
                }
            ],
            "batches": [],
            "movements": [_MOVEMENT],
            "counts": [],
            "models": {"detect": "plants@9f3c…", "segment": "containers@51aa…"},
            "parameters": {"threshold": 0.35},
            "actions": ["reprocess"],
            "watch_url": f"{_POLL}/events",
        }
    )
}
