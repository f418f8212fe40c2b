"""Products that a list names: known, new, written otherwise, or nearly a known one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product, ProductCategory
from demeter.catalog.product_names import alike_codes, plain_words, product_code
from demeter.core.imports.journal import Journal
from demeter.core.imports.plans import AS_NEW, JOIN, LEAVE, Doubt
from demeter.core.notices import Notice

CATEGORIES = {
    "C": "CACTUS", "CACTUS": "CACTUS", "CACTI": "CACTUS", "CACTOS": "CACTUS",
    "S": "SUCCULENT", "SUCULENTA": "SUCCULENT", "SUCULENTAS": "SUCCULENT",
    "SUCCULENT": "SUCCULENT", "SUCCULENTS": "SUCCULENT", "CRASAS": "SUCCULENT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProductMatch:
    """What a written name is: ``code`` of the product that it stands for, or would."""

    code: str
    notices: tuple[Notice, ...] = ()
    doubts: frozenset[Doubt] = frozenset()
    options: tuple[str, ...] = ()
    is_known: bool = False


@dataclass(slots=True)
class ProductNames:
    """The products there are, and those that the list has named so far, by their codes."""

    stored: dict[str, Product]
    listed: dict[str, str] = field(default_factory=dict)  # how the list first wrote each

    @classmethod
    def of(cls, session: Session) -> ProductNames:
        """All products of the nursery."""
        rows = session.scalars(select(Product).order_by(Product.code))
        return cls({row.code: row for row in rows})

    def match(self, name: str) -> ProductMatch:
        """What a name is to those before it.

        Other capitals are suggested to be the same, other letters to be another product.
        """
        code = product_code(name)
        written = " ".join(name.split())
        if code in self.stored:
            return ProductMatch(code, is_known=True)
        if code in self.listed:
            first = self.listed[code]
            if written == first:
                return ProductMatch(code, is_known=True)
            notice = Notice("written_otherwise", {"name": written, "other": first})
            doubt = frozenset((Doubt.SPELLING,))
            options = (f"{JOIN}{code}", LEAVE)
            return ProductMatch(code, (notice,), doubt, options, is_known=True)
        self.listed[code] = written
        alike = alike_codes(code, [*self.stored, *self.listed])
        if not alike:
            return ProductMatch(code)
        others = ", ".join(self.name_of(other) for other in alike)
        notice = Notice("nearly_the_same", {"name": written, "other": others})
        options = (AS_NEW, *(f"{JOIN}{other}" for other in alike))
        return ProductMatch(code, (notice,), frozenset((Doubt.SPELLING,)), options)

    def name_of(self, code: str) -> str:
        """A product's name as it stands, or as the list wrote it."""
        return self.stored[code].name if code in self.stored else self.listed[code]


class CatalogWriter:
    """Finds or makes what the rows of a list rest on, each once."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session, self._journal = session, journal
        self._products: dict[str, Product] = {}

    def category(self, written: str) -> ProductCategory:
        """The category that a list calls so, made if there is none."""
        code = category_code(written)
        query = select(ProductCategory).where(ProductCategory.code == code)
        row = self._session.scalar(query)
        if row is None:
            name = " ".join(written.split()).capitalize()
            row = self._journal.create(self._session, ProductCategory(code=code, name=name))
            self._session.flush()
        return row

    def packaging(self, sku: str, name: str) -> Packaging:
        """The packaging of this SKU, made if there is none."""
        row = self._session.scalar(select(Packaging).where(Packaging.sku == sku))
        if row is None:
            row = self._journal.create(self._session, Packaging(sku=sku, name=name))
            self._session.flush()
        return row

    def product(self, code: str, category: str, **values: Any) -> Product:
        """The product of this code, made if there is none."""
        if code not in self._products:
            row = self._session.scalar(select(Product).where(Product.code == code))
            if row is None:
                values.setdefault("custom_attributes", {})
                of = self.category(category)
                row = Product(code=code, product_category_id=of.id, **values)
                self._journal.create(self._session, row)
            self._products[code] = row
        return self._products[code]


def category_code(written: str) -> str:
    """The code of a category by what a list calls it."""
    plain = "_".join(plain_words(written))
    return CATEGORIES.get(plain, plain)[:50]
