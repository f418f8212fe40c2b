"""Columns remembered under a name, for the next file of the kind."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.imports.errors import ImportProfileNotFound
from demeter.imports.models import ImportProfile, ImportRun


def find_profile(
    session: Session, name: str | None, kind_name: str | None = None
) -> ImportProfile | None:
    """A remembered profile; ``None`` where none is asked for.

    Raises:
        ImportProfileNotFound: none is so called, or it is of another kind of file.
    """
    if name is None:
        return None
    profile = session.scalar(select(ImportProfile).where(ImportProfile.name == name))
    if profile is None or kind_name not in (None, profile.kind):
        raise ImportProfileNotFound(f"no profile is called {name!r}", name=name)
    return profile


def save_profile(session: Session, name: str, run: ImportRun) -> ImportProfile:
    """Remember how an import's files are read; what the name stood for before is replaced."""
    profile = session.scalar(select(ImportProfile).where(ImportProfile.name == name))
    if profile is None:
        profile = ImportProfile(name=name, kind=run.kind, mapping=run.mapping)
        session.add(profile)
    profile.kind, profile.mapping = run.kind, run.mapping
    session.flush()
    session.refresh(profile)
    run.profile_id = profile.id
    session.flush()
    return profile


def delete_profile(session: Session, name: str) -> ImportProfile:
    """Forget a profile; imports that used it keep their own columns.

    Raises:
        ImportProfileNotFound: none is so called.
    """
    profile = find_profile(session, name)
    assert profile is not None  # a name was given
    session.delete(profile)
    session.flush()
    return profile
