"""Products, packaging, density, and the configuration of locations."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum


class ProductCategory(ChangedRow, Base):
    """Cacti, succulents and so on."""

    __tablename__ = "product_categories"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class ProductFamily(ChangedRow, Base):
    """A botanical family within a category."""

    __tablename__ = "product_families"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    product_category_id: Mapped[int] = mapped_column(ForeignKey("product_categories.id"))
    code: Mapped[str]
    name: Mapped[str]
    scientific_name: Mapped[str | None]
    description: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class Product(ChangedRow, Base):
    """One kind of plant that the nursery keeps."""

    __tablename__ = "products"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    product_category_id: Mapped[int] = mapped_column(ForeignKey("product_categories.id"))
    product_family_id: Mapped[int | None] = mapped_column(ForeignKey("product_families.id"))
    code: Mapped[str]
    name: Mapped[str]
    scientific_name: Mapped[str | None]
    current_height_mm: Mapped[Decimal | None]
    custom_attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    active: Mapped[bool] = mapped_column(server_default="true")


class ProductState(ChangedRow, Base):
    """Where a plant is in its life."""

    __tablename__ = "product_states"
    is_audited = True

    product_state_id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    is_sellable: Mapped[bool] = mapped_column(server_default="false")
    sort_order: Mapped[int] = mapped_column(server_default="0")
    active: Mapped[bool] = mapped_column(server_default="true")


class ProductSize(ChangedRow, Base):
    """A range of height, lower bound included, upper not."""

    __tablename__ = "product_sizes"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    min_height_cm: Mapped[Decimal]
    max_height_cm: Mapped[Decimal | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class PackagingType(ChangedRow, Base):
    """A type of packaging, such as a pot or a tray."""

    __tablename__ = "packaging_types"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class PackagingMaterial(ChangedRow, Base):
    """What packaging is made of."""

    __tablename__ = "packaging_materials"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class PackagingColor(ChangedRow, Base):
    """A colour of packaging."""

    __tablename__ = "packaging_colors"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    hex_code: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class Packaging(ChangedRow, Base):
    """A pot or tray of the packaging catalog."""

    __tablename__ = "packaging_catalog"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    packaging_type_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_types.id"))
    packaging_material_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_materials.id"))
    packaging_color_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_colors.id"))
    sku: Mapped[str]
    name: Mapped[str]
    volume_liters: Mapped[Decimal | None]
    diameter_cm: Mapped[Decimal | None]
    height_cm: Mapped[Decimal | None]
    active: Mapped[bool] = mapped_column(server_default="true")


class LocationConfig(ChangedRow, Base):
    """What is expected to stand at a location; at most one active a location."""

    __tablename__ = "storage_location_config"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    expected_product_state_id: Mapped[int] = mapped_column(
        ForeignKey("product_states.product_state_id")
    )
    packaging_catalog_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_catalog.id"))
    area_cm2: Mapped[Decimal | None]
    count_unit: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")

    product: Mapped[Product] = relationship()
    state: Mapped[ProductState] = relationship()
    packaging: Mapped[Packaging | None] = relationship()


class DensityParameter(ChangedRow, Base):
    """How close plants of a product stand in a kind of bin, as learnt or entered."""

    __tablename__ = "density_parameters"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    storage_bin_type_id: Mapped[int] = mapped_column(ForeignKey("storage_bin_types.bin_type_id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    packaging_catalog_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_catalog.id"))
    avg_area_per_plant_cm2: Mapped[Decimal | None]
    plants_per_m2: Mapped[Decimal | None]
    overlap_adjustment_factor: Mapped[Decimal] = mapped_column(server_default="0.85")
    avg_diameter_cm: Mapped[Decimal | None]
    learnt_from: Mapped[int | None]
    learnt_at: Mapped[datetime | None]


class SampleType(StrEnum):
    """What a sample photo is for."""

    REFERENCE = "reference"
    GROWTH_STAGE = "growth_stage"
    QUALITY_CHECK = "quality_check"
    MONTHLY_SAMPLE = "monthly_sample"


class ProductSampleImage(CreatedRow, Base):
    """A photo that shows how a product looks: in a state, in a size, at a location."""

    __tablename__ = "product_sample_images"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    product_state_id: Mapped[int | None] = mapped_column(
        ForeignKey("product_states.product_state_id")
    )
    product_size_id: Mapped[int | None] = mapped_column(ForeignKey("product_sizes.id"))
    storage_location_id: Mapped[int | None] = mapped_column(
        ForeignKey("storage_locations.location_id")
    )
    sample_type: Mapped[SampleType] = mapped_column(pg_enum(SampleType, "sample_type"))
    captured_on: Mapped[date]
    captured_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    notes: Mapped[str | None]
