"""Reference rows: what every nursery starts with. Places and products start empty."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UP = """
INSERT INTO product_states (product_state_id, name, description, is_sellable, sort_order) VALUES
    (1, 'SEED', 'Sown, not yet germinated', false, 10),
    (2, 'GERMINATING', 'Germinating', false, 20),
    (3, 'SEEDLING', 'Seedling', false, 30),
    (4, 'JUVENILE', 'Juvenile', true, 40),
    (5, 'ADULT', 'Adult', true, 50),
    (6, 'FLOWERING', 'In flower', true, 60),
    (7, 'FRUITING', 'Bearing fruit', true, 70),
    (8, 'DORMANT', 'Dormant', true, 80),
    (9, 'PROPAGATING', 'Mother plant or cutting', false, 90),
    (10, 'DYING', 'Dying', false, 100),
    (11, 'DEAD', 'Dead', false, 110);

INSERT INTO product_sizes (id, code, name, min_height_cm, max_height_cm) VALUES
    (1, 'XS', 'Extra small', 0, 5),
    (2, 'S', 'Small', 5, 10),
    (3, 'M', 'Medium', 10, 20),
    (4, 'L', 'Large', 20, 40),
    (5, 'XL', 'Extra large', 40, 80),
    (6, 'XXL', 'Giant', 80, NULL);

INSERT INTO product_categories (id, code, name, description) VALUES
    (1, 'CACTUS', 'Cacti', 'Cactaceae'),
    (2, 'SUCCULENT', 'Succulents', 'Succulents other than cacti');

INSERT INTO product_families (id, product_category_id, code, name, scientific_name) VALUES
    (1, 1, 'CACTACEAE', 'Cacti', 'Cactaceae'),
    (2, 2, 'CRASSULACEAE', 'Stonecrops', 'Crassulaceae'),
    (3, 2, 'ASPHODELACEAE', 'Aloes and haworthias', 'Asphodelaceae'),
    (4, 2, 'ASPARAGACEAE', 'Agaves', 'Asparagaceae'),
    (5, 2, 'EUPHORBIACEAE', 'Spurges', 'Euphorbiaceae'),
    (6, 2, 'AIZOACEAE', 'Living stones', 'Aizoaceae');

-- Grids that a person may name for a bin. A photo cannot tell a grid from another, so bins
-- from photos get their category's plain type, made when first needed.
INSERT INTO storage_bin_types
    (bin_type_id, code, name, category, is_grid, rows, columns, capacity, length_cm, width_cm) VALUES
    (1, 'PLUG_72', 'Plug tray, 72 cells', 'plug', true, 6, 12, 72, 54, 28),
    (2, 'PLUG_128', 'Plug tray, 128 cells', 'plug', true, 8, 16, 128, 54, 28),
    (3, 'PLUG_288', 'Plug tray, 288 cells', 'plug', true, 12, 24, 288, 54, 28),
    (4, 'SEEDLING_TRAY_200', 'Seedling tray, 200 cells', 'seedling_tray', true, 10, 20, 200, 54, 28);

INSERT INTO packaging_colors (id, name, hex_code) VALUES
    (1, 'black', '#1A1A1A'), (2, 'terracotta', '#B5651D'), (3, 'white', '#F5F5F5');

-- Found by its name; its password field is no hash, so it never logs in.
INSERT INTO users (username, email, hashed_password, role, first_name)
    VALUES ('demeter-service', 'service@demeter.invalid', '!', 'worker', 'Demeter');
"""

# Each identity stands past its maximum, so the next plain insert gets the next number.
SEQUENCES = """
DO $$
DECLARE
    item record;
    highest bigint;
BEGIN
    FOR item IN
        SELECT table_name, column_name, pg_get_serial_sequence(table_name, column_name) AS seq
        FROM information_schema.columns
        WHERE table_schema = 'public' AND is_identity = 'YES'
    LOOP
        EXECUTE format('SELECT max(%I) FROM %I', item.column_name, item.table_name) INTO highest;
        IF highest IS NOT NULL AND item.table_name NOT LIKE 'procrastinate%' THEN
            PERFORM setval(item.seq, highest);
        END IF;
    END LOOP;
END $$;
"""

DOWN = """
DELETE FROM users WHERE username = 'demeter-service';
DELETE FROM packaging_colors;
DELETE FROM storage_bin_types;
DELETE FROM product_families;
DELETE FROM product_categories;
DELETE FROM product_sizes;
DELETE FROM product_states;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(SEQUENCES)


def downgrade() -> None:
    op.execute(DOWN)
