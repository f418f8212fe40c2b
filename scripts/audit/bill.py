"""The bill of materials, as CycloneDX has it: packages with hashes and licences, and models."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from locks import Package
from packageurl import PackageURL

WEIGHTS = Path("src/demeter/vision/networks/weights")


def bill(root: Path, packages: Iterable[Package]) -> str:
    """The document as JSON, valid by CycloneDX's own schema."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    bom = Bom(components=[*map(_component, packages), *_models(root)])
    bom.metadata.component = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        licenses=[DisjunctiveLicense(id=project["license"])],
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise ValueError(f"the bill of materials is not valid: {fault}")
    return text


def _component(package: Package) -> Component:
    hashes = [HashType(alg=HashAlgorithm(kind), content=value) for kind, value in package.hashes]
    return Component(
        name=package.name,
        version=package.version,
        purl=PackageURL.from_string(package.purl),
        bom_ref=package.purl,
        type=ComponentType.LIBRARY,
        scope=ComponentScope.REQUIRED if package.is_shipped else ComponentScope.EXCLUDED,
        # A package of several files has a hash for each; a component has one of a kind.
        hashes=hashes[:1] if len(hashes) == 1 else [],
        licenses=_licences(package.licence),
    )


def _licences(expression: str) -> list[DisjunctiveLicense | LicenseExpression]:
    if not expression:
        return []
    if any(f" {word} " in expression for word in ("AND", "OR", "WITH")):
        return [LicenseExpression(expression)]
    return [DisjunctiveLicense(name=expression)]


def _models(root: Path) -> Iterable[Component]:
    """The models that ship with Demeter, by the hash that each must have."""
    for line in (root / WEIGHTS / "SHA256SUMS").read_text().splitlines():
        sha256, name = line.split()
        yield Component(
            name=name,
            bom_ref=f"model:{name}",
            type=ComponentType.MACHINE_LEARNING_MODEL,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        )
