-- The demonstration's nursery: two greenhouses, four areas, fourteen beds, the catalog and its
-- prices, and people of each role. Every reference is by code or name; running it again
-- changes nothing.

INSERT INTO warehouses (code, name, warehouse_type, geojson_coordinates) VALUES
    ('DEMO-NAVE-1', 'Nave 1', 'greenhouse', ST_MakeEnvelope(-68.8600, -32.9000, -68.8590, -32.8995, 4326)),
    ('DEMO-NAVE-2', 'Nave 2', 'shadehouse', ST_MakeEnvelope(-68.8588, -32.9000, -68.8578, -32.8995, 4326))
ON CONFLICT (code) DO NOTHING;

INSERT INTO storage_areas (warehouse_id, code, name, area_type, position, geojson_coordinates)
SELECT w.warehouse_id, a.code, a.name, w.warehouse_type, a.position::area_position,
       ST_MakeEnvelope(a.west, a.south, a.east, a.north, 4326)
FROM (VALUES
    ('DEMO-NAVE-1', 'DEMO-N', 'Cantero norte', 'N', -68.8600, -32.89975, -68.8590, -32.8995),
    ('DEMO-NAVE-1', 'DEMO-S', 'Cantero sur', 'S', -68.8600, -32.9000, -68.8590, -32.89975),
    ('DEMO-NAVE-2', 'DEMO-C', 'Cantero central', 'C', -68.8588, -32.9000, -68.8578, -32.89975),
    ('DEMO-NAVE-2', 'DEMO-T', 'Mesón de bandejas', 'N', -68.8588, -32.89975, -68.8578, -32.8995)
) AS a (warehouse, code, name, position, west, south, east, north)
JOIN warehouses w ON w.code = a.warehouse
ON CONFLICT (code) DO NOTHING;

INSERT INTO storage_locations
    (storage_area_id, code, qr_code, name, location_type, walk_order, geojson_coordinates)
SELECT a.storage_area_id, l.code, 'DEMETER:' || l.code, l.name, l.kind::location_type, l.walk,
       ST_MakeEnvelope(l.west, l.south, l.west + 0.0002, l.south + 0.0002, 4326)
FROM (VALUES
    ('DEMO-N', 'DEMO-N1', 'Claro N1', 'growing_bed', 10, -68.8600, -32.8997),
    ('DEMO-N', 'DEMO-N2', 'Claro N2', 'growing_bed', 20, -68.8598, -32.8997),
    ('DEMO-N', 'DEMO-N3', 'Claro N3', 'growing_bed', 30, -68.8596, -32.8997),
    ('DEMO-N', 'DEMO-N4', 'Claro N4', 'growing_bed', 40, -68.8594, -32.8997),
    ('DEMO-S', 'DEMO-S1', 'Claro S1', 'bench', 50, -68.8600, -32.9000),
    ('DEMO-S', 'DEMO-S2', 'Claro S2', 'bench', 60, -68.8598, -32.9000),
    ('DEMO-S', 'DEMO-S3', 'Claro S3', 'bench', 70, -68.8596, -32.9000),
    ('DEMO-C', 'DEMO-C1', 'Claro C1', 'bench', 10, -68.8588, -32.9000),
    ('DEMO-C', 'DEMO-C2', 'Claro C2', 'bench', 20, -68.8586, -32.9000),
    ('DEMO-C', 'DEMO-C3', 'Claro C3', 'bench', 30, -68.8584, -32.9000),
    ('DEMO-T', 'DEMO-T1', 'Bandeja 1', 'bench', 40, -68.8588, -32.8997),
    ('DEMO-T', 'DEMO-T2', 'Bandeja 2', 'bench', 50, -68.8586, -32.8997),
    ('DEMO-T', 'DEMO-T3', 'Bandeja 3', 'bench', 60, -68.8584, -32.8997),
    ('DEMO-T', 'DEMO-T4', 'Bandeja 4', 'bench', 70, -68.8582, -32.8997)
) AS l (area, code, name, kind, walk, west, south)
JOIN storage_areas a ON a.code = l.area
ON CONFLICT (code) DO NOTHING;

INSERT INTO location_relationships (parent_location_id, child_location_id, relationship_type)
SELECT a.location_id, b.location_id, 'adjacent_to'
FROM storage_locations a JOIN storage_locations b ON b.code = 'DEMO-N2'
WHERE a.code IN ('DEMO-N1', 'DEMO-N3')
ON CONFLICT DO NOTHING;

INSERT INTO products
    (product_category_id, product_family_id, code, name, scientific_name, current_height_mm)
SELECT f.product_category_id, f.id, p.code, p.name, p.scientific, p.height
FROM (VALUES
    ('CRASSULACEAE', 'DEMO-ECHEVERIA', 'Echeveria', 'Echeveria elegans', 60),
    ('CRASSULACEAE', 'DEMO-SEDUM', 'Sedum', 'Sedum rubrotinctum', 50),
    ('CACTACEAE', 'DEMO-MAMMILLARIA', 'Mammillaria', 'Mammillaria zeilmanniana', 70),
    ('CACTACEAE', 'DEMO-ECHINOCACTUS', 'Asiento de suegra', 'Echinocactus grusonii', 90),
    ('ASPHODELACEAE', 'DEMO-HAWORTHIA', 'Haworthia', 'Haworthiopsis attenuata', 80)
) AS p (family, code, name, scientific, height)
JOIN product_families f ON f.code = p.family
ON CONFLICT (code) DO NOTHING;

INSERT INTO packaging_types (code, name) VALUES ('DEMO-MACETA', 'Maceta'), ('DEMO-PLUG', 'Plug')
ON CONFLICT (code) DO NOTHING;
INSERT INTO packaging_materials (code, name) VALUES ('DEMO-PP', 'Polipropileno')
ON CONFLICT (code) DO NOTHING;
INSERT INTO packaging_catalog
    (packaging_type_id, packaging_material_id, packaging_color_id, sku, name, volume_liters,
     diameter_cm, height_cm)
SELECT t.id, m.id, c.id, k.sku, k.name, k.litres, k.diameter, k.height
FROM (VALUES
    ('DEMO-MACETA', 'black', 'DEMO-M8', 'Maceta 8 cm', 0.3, 8.0, 7.0),
    ('DEMO-MACETA', 'terracotta', 'DEMO-M10', 'Maceta 10 cm', 0.5, 10.0, 9.0),
    ('DEMO-PLUG', 'black', 'DEMO-P5', 'Plug 5 cm', 0.06, 5.0, 5.0)
) AS k (type, color, sku, name, litres, diameter, height)
JOIN packaging_types t ON t.code = k.type
JOIN packaging_materials m ON m.code = 'DEMO-PP'
JOIN packaging_colors c ON c.name = k.color
ON CONFLICT (sku) DO NOTHING;

INSERT INTO price_list
    (packaging_catalog_id, product_categories_id, wholesale_unit_price, retail_unit_price, sku,
     unit_per_storage_box, wholesale_total_price_per_box, availability)
SELECT k.id, c.id, p.wholesale, p.retail, k.sku, 24, p.wholesale * 24, 'todo el año'
FROM (VALUES
    ('DEMO-M8', 'CACTUS', 1450.00, 2900.00),
    ('DEMO-M10', 'SUCCULENT', 1720.50, 3400.00),
    ('DEMO-P5', 'SUCCULENT', 380.00, 760.00))
    AS p (sku, category, wholesale, retail)
JOIN packaging_catalog k ON k.sku = p.sku
JOIN product_categories c ON c.code = p.category
WHERE NOT EXISTS (SELECT FROM price_list x
    WHERE x.packaging_catalog_id = k.id AND x.product_categories_id = c.id);

INSERT INTO storage_location_config
    (storage_location_id, product_id, expected_product_state_id, packaging_catalog_id)
SELECT l.location_id, p.id, s.product_state_id, k.id
FROM (VALUES
    ('DEMO-N1', 'DEMO-ECHEVERIA', 'ADULT', NULL),
    ('DEMO-N2', 'DEMO-SEDUM', 'JUVENILE', NULL),
    ('DEMO-N3', 'DEMO-ECHINOCACTUS', 'ADULT', NULL),
    ('DEMO-N4', 'DEMO-HAWORTHIA', 'ADULT', 'DEMO-M8'),
    ('DEMO-S3', 'DEMO-SEDUM', 'JUVENILE', NULL),
    ('DEMO-C2', 'DEMO-ECHEVERIA', 'ADULT', 'DEMO-M10'),
    ('DEMO-C3', 'DEMO-SEDUM', 'ADULT', 'DEMO-M8'),
    ('DEMO-T1', 'DEMO-HAWORTHIA', 'JUVENILE', 'DEMO-P5'),
    ('DEMO-T2', 'DEMO-ECHEVERIA', 'JUVENILE', 'DEMO-P5'),
    ('DEMO-T3', 'DEMO-SEDUM', 'JUVENILE', 'DEMO-P5'),
    ('DEMO-T4', 'DEMO-MAMMILLARIA', 'JUVENILE', 'DEMO-P5'),
    ('DEMO-S1', 'DEMO-MAMMILLARIA', 'ADULT', 'DEMO-M8'),
    ('DEMO-S2', 'DEMO-HAWORTHIA', 'JUVENILE', 'DEMO-P5')
) AS x (location, product, state, packaging)
JOIN storage_locations l ON l.code = x.location
JOIN products p ON p.code = x.product
JOIN product_states s ON s.name = x.state
LEFT JOIN packaging_catalog k ON k.sku = x.packaging
WHERE NOT EXISTS (SELECT FROM storage_location_config c
    WHERE c.storage_location_id = l.location_id AND c.active);

INSERT INTO density_parameters
    (storage_bin_type_id, product_id, plants_per_m2, avg_diameter_cm)
SELECT t.bin_type_id, p.id, 160, 7
FROM storage_bin_types t, products p
WHERE t.code = 'PLUG_72' AND p.code = 'DEMO-HAWORTHIA'
ON CONFLICT ON CONSTRAINT uq_density_parameters DO NOTHING;

-- Nobody logs in as these: the field is no hash.
INSERT INTO users (username, email, hashed_password, first_name, last_name, role) VALUES
    ('demo-elena', 'elena@demo.invalid', '!', 'Elena', 'Funes', 'admin'),
    ('demo-rosa', 'rosa@demo.invalid', '!', 'Rosa', 'Quiroga', 'worker'),
    ('demo-juan', 'juan@demo.invalid', '!', 'Juan', 'Páez', 'worker'),
    ('demo-ines', 'ines@demo.invalid', '!', 'Inés', 'Vega', 'viewer'),
    ('demo-luis', 'luis@demo.invalid', '!', 'Luis', 'Sosa', 'supervisor')
ON CONFLICT (username) DO NOTHING;
