"""The catalog's tables of master data, each described once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.catalog import schemas
from demeter.catalog.errors import FamilyOfOther
from demeter.catalog.models import Product, ProductCategory, ProductFamily
from demeter.core.registers.description import RowReference, Register


def require_family_of_category(session: Session, product: Product) -> None:
    """A product's family belongs to the product's category.

    Raises:
        FamilyOfOther: it does not.
    """
    if product.product_family_id is None:
        return
    family = session.get_one(ProductFamily, product.product_family_id)
    if family.product_category_id != product.product_category_id:
        raise FamilyOfOther(f"family {family.code} belongs to another category", family=family.code)


CATEGORIES = Register(
    name="categories",
    room="catalog",
    model=ProductCategory,
    create=schemas.CategoryCreate,
    columns=("code", "name"),
)
FAMILIES = Register(
    name="families",
    room="catalog",
    model=ProductFamily,
    create=schemas.FamilyCreate,
    fields={"category_code": RowReference("product_category_id", ProductCategory.code)},
    search=("code", "name", "scientific_name"),
    filters=("category_code",),
    columns=("code", "name", "category_code", "scientific_name"),
)
PRODUCTS = Register(
    name="products",
    room="catalog",
    model=Product,
    create=schemas.ProductCreate,
    fields={
        "category_code": RowReference("product_category_id", ProductCategory.code),
        "family_code": RowReference("product_family_id", ProductFamily.code),
    },
    search=("code", "name", "scientific_name"),
    filters=("category_code", "family_code"),
    columns=("code", "name", "category_code", "family_code"),
    rules=(require_family_of_category,),
)

CATALOG = (PRODUCTS, FAMILIES, CATEGORIES)
