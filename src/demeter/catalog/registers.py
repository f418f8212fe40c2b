"""The catalog's tables of master data, each described once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.models import User
from demeter.catalog import schemas
from demeter.catalog.errors import FamilyOfOther
from demeter.catalog.models import (
    DensityParameter,
    Packaging,
    PackagingColor,
    PackagingMaterial,
    PackagingType,
    Product,
    ProductCategory,
    ProductFamily,
    ProductSampleImage,
    ProductSize,
    ProductState,
)
from demeter.core.registers.description import Register, RowReference
from demeter.core.site import day_at_site
from demeter.locations.models import StorageBinType, StorageLocation


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


def sign_sample(session: Session, sample: ProductSampleImage) -> None:
    """Who adds a sample photo, and on which day, where nothing else is said."""
    del session
    acting = identity.current()
    if sample.captured_by_user_id is None and acting is not None:
        sample.captured_by_user_id = acting.user_id
    if sample.captured_on is None:
        sample.captured_on = day_at_site(datetime.now(UTC))


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

STATES = Register(
    name="states",
    room="catalog",
    model=ProductState,
    create=schemas.StateCreate,
    key="name",
    search=("name", "description"),
    order="sort_order",
    columns=("name", "description", "is_sellable"),
)
SIZES = Register(
    name="sizes",
    room="catalog",
    model=ProductSize,
    create=schemas.SizeCreate,
    order="min_height_cm",
    columns=("code", "name", "min_height_cm", "max_height_cm"),
)
PACKAGING_TYPES = Register(
    name="packaging-types",
    room="catalog",
    model=PackagingType,
    create=schemas.PackagingTypeCreate,
    columns=("code", "name"),
)
PACKAGING_MATERIALS = Register(
    name="packaging-materials",
    room="catalog",
    model=PackagingMaterial,
    create=schemas.PackagingMaterialCreate,
    columns=("code", "name"),
)
PACKAGING_COLORS = Register(
    name="packaging-colors",
    room="catalog",
    model=PackagingColor,
    create=schemas.PackagingColorCreate,
    key="name",
    search=("name",),
    columns=("name", "hex_code"),
)
PACKAGINGS = Register(
    name="packagings",
    room="catalog",
    model=Packaging,
    create=schemas.PackagingCreate,
    key="sku",
    fields={
        "type_code": RowReference("packaging_type_id", PackagingType.code),
        "material_code": RowReference("packaging_material_id", PackagingMaterial.code),
        "color": RowReference("packaging_color_id", PackagingColor.name),
    },
    search=("sku", "name"),
    filters=("type_code", "material_code", "color"),
    columns=("sku", "name", "type_code", "color", "diameter_cm"),
)
DENSITIES = Register(
    name="densities",
    room="catalog",
    model=DensityParameter,
    create=schemas.DensityCreate,
    key=None,
    fields={
        "bin_type_code": RowReference("storage_bin_type_id", StorageBinType.code),
        "product_code": RowReference("product_id", Product.code),
        "packaging_sku": RowReference("packaging_catalog_id", Packaging.sku),
    },
    search=("product_code", "bin_type_code", "packaging_sku"),
    filters=("product_code", "bin_type_code", "packaging_sku"),
    columns=("product_code", "bin_type_code", "packaging_sku", "plants_per_m2"),
    extra={"learnt_from": int | None, "learnt_at": datetime | None},
)
SAMPLE_IMAGES = Register(
    name="sample-images",
    room="catalog",
    model=ProductSampleImage,
    create=schemas.SampleImageCreate,
    key=None,
    fields={
        "product_code": RowReference("product_id", Product.code),
        "state": RowReference("product_state_id", ProductState.name),
        "size_code": RowReference("product_size_id", ProductSize.code),
        "location_code": RowReference("storage_location_id", StorageLocation.code),
        "captured_by": RowReference("captured_by_user_id", User.username),
    },
    search=("product_code", "notes"),
    filters=("product_code", "sample_type", "state", "size_code", "location_code"),
    columns=("product_code", "sample_type", "state", "captured_on"),
    rules=(sign_sample,),
)

CATALOG = (
    PRODUCTS,
    FAMILIES,
    CATEGORIES,
    STATES,
    SIZES,
    PACKAGINGS,
    PACKAGING_TYPES,
    PACKAGING_MATERIALS,
    PACKAGING_COLORS,
    DENSITIES,
    SAMPLE_IMAGES,
)
