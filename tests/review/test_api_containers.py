"""Containers drawn anew over HTTP: what is there, what is sent, and who was first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from support.ledgerapi import count_by_photo, ok, on_hand
from support.nursery import photo_count
from support.served import SESSIONS, client, jpeg, record_answers, upload_session
from support.signing_in import signed_in

assert client  # pytest finds the fixture by its name here

HALVES = (
    [[10, 10], [110, 10], [110, 210], [10, 210]],
    [[110, 10], [210, 10], [210, 210], [110, 210]],
)


def waiting(client: TestClient, *containers: tuple[int, int | None], seed: int = 5) -> str:
    session = upload_session(client, jpeg(seed))
    record_answers(session, replace(photo_count(*containers), plants_likelihood=0.1))
    return f"{SESSIONS}/{session}"


def shapes(client: TestClient, at: str) -> list[dict[str, Any]]:
    """The containers as they are, to be sent back."""
    return [
        {
            "position": one["position"],
            "outline": one["outline"],
            "container_type": one["container_type"],
            "former": [one["index"]],
        }
        for one in ok(client.get(f"{at}/containers"))["containers"]
    ]


def test_containers_are_read_drawn_and_read_again(client: TestClient) -> None:
    at = waiting(client, (8, 0), (5, 0))
    read = client.get(f"{at}/containers")
    assert [c["outline"][0] for c in read.json()["containers"]] == [[10, 10], [260, 10]]
    assert (read.json()["drawn_by"], read.json()["bins"]) == (None, [])
    one, other = shapes(client, at)
    halves = [one | {"outline": half, "container_type": "box"} for half in HALVES]
    body = {"containers": [*halves, other], "reason": "two boxes"}
    done = client.put(f"{at}/containers", json=body, headers={"if-match": read.headers["etag"]})
    assert done.status_code == 200, done.text
    told = done.json()
    assert (told["attempt"], told["answer"], told["left_out"]) == (2, 13, 0)
    assert (told["numbers_lost"], told["waits_for"]) == ([], "may_show_no_plants")
    again = client.get(f"{at}/containers")
    assert again.headers["etag"] == done.headers["etag"] != read.headers["etag"]
    assert [c["container_type"] for c in again.json()["containers"]] == ["box", "box", "segment"]
    assert again.json()["drawn_by"] is not None
    marks = ok(client.get(f"{at}/corrections"))["marks"]
    assert {m["container_index"] for m in marks} == {1, 3}  # all stand near the left edge
    accepted = ok(
        client.put(
            f"{at}/containers", json=body | {"containers": shapes(client, at), "accept": True}
        )
    )
    assert (accepted["status"], on_hand(client)) == ("completed", 13)


def test_marks_are_sent_along(client: TestClient) -> None:
    at = waiting(client, (8, 0))
    gone = ok(client.get(f"{at}/corrections"))["marks"][0]["detection_id"]
    wide = shapes(client, at)[0] | {"outline": [[10, 10], [400, 10], [400, 210], [10, 210]]}
    marks = {
        "add": [{"box": [300, 100, 310, 110]}, {"box": [320, 100, 330, 110]}],
        "remove": [gone],
    }
    done = ok(client.put(f"{at}/containers", json={"containers": [wide], "marks": marks}))
    assert done["answer"] == 9
    outside = {"add": [{"box": [990, 100, 1010, 110]}]}
    refused = client.put(f"{at}/containers", json={"containers": [wide], "marks": outside})
    assert (refused.status_code, refused.json()["code"]) == (422, "correction_refused")


def test_plants_left_out_are_named_and_shown(client: TestClient) -> None:
    at = waiting(client, (8, 0))
    right = shapes(client, at)[0] | {"outline": HALVES[1]}
    refused = client.put(f"{at}/containers", json={"containers": [right]})
    assert (refused.status_code, refused.json()["code"]) == (409, "plants_left_out")
    assert refused.json()["plants"] == 8
    done = ok(client.put(f"{at}/containers", json={"containers": [right], "leave_out": True}))
    assert (done["answer"], done["left_out"]) == (0, 8)
    assert len(ok(client.get(f"{at}/containers"))["outside"]) == 8


@pytest.mark.parametrize(
    ("outline", "fault"),
    [
        ([[10, 10], [210, 210], [210, 10], [10, 210]], "outline_crosses_itself"),
        ([[10, 10], [1500, 10], [210, 210]], "outline_outside"),
        ([[10, 10], [210, 10]], "outline_too_few"),
    ],
)
def test_an_outline_that_is_none_is_refused_in_the_reader_s_language(
    client: TestClient, outline: list[list[int]], fault: str
) -> None:
    at = waiting(client, (8, 0))
    body = {"containers": [shapes(client, at)[0] | {"outline": outline}]}
    refused = client.put(f"{at}/containers", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "outline_refused")
    assert (refused.json()["fault"], refused.json()["notice"]["code"]) == (fault, fault)


def test_who_was_second_is_told_and_one_key_draws_once(client: TestClient) -> None:
    at = waiting(client, (8, 0))
    seen = client.get(f"{at}/containers").headers["etag"]
    body = {"containers": [shapes(client, at)[0] | {"container_type": "pot"}]}
    key = {"idempotency-key": "k", "if-match": seen}
    first = client.put(f"{at}/containers", json=body, headers=key)
    assert client.put(f"{at}/containers", json=body, headers=key).json() == first.json()
    late = client.put(f"{at}/containers", json=body, headers={"if-match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "session_changed")
    worker = signed_in("luis", UserRole.WORKER)
    assert client.put(f"{at}/containers", json=body, headers=worker).status_code == 403


def test_bins_of_before_are_offered_and_chosen(client: TestClient) -> None:
    count_by_photo(client, 8, when=0)
    session = count_by_photo(client, 2, when=30, width=1)
    at = f"{SESSIONS}/{session}"
    read = ok(client.get(f"{at}/containers"))
    (before,) = read["bins"]
    assert (before["index"], before["outline"][0], before["width_px"]) == (1, [10, 10], 1000)
    assert read["containers"][0]["bin_id"] == before["bin_id"]  # it stands where that stood
    assert client.get(before["view_url"]).status_code == 200
    body = {"containers": [shapes(client, at)[0] | {"bin_id": before["bin_id"]}], "accept": True}
    assert ok(client.put(f"{at}/containers", json=body))["status"] == "completed"
    after = ok(client.get(f"{at}/containers"))["containers"][0]
    assert (after["bin_id"], after["is_chosen"]) == (before["bin_id"], True)
