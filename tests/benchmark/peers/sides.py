"""The two sides of the births as the flat tables that linkage libraries take; `$1`, `$2` are files."""

MCH_SIDE = """
    SELECT
        record_id AS unique_id, birth_certificate_number AS certificate_number, mother_id_number,
        CAST(born_at AS DATE) AS birth_date, child_sex_code AS sex_code, plural_order, parity,
        mother_birth_date, mother_name, mother_phone
    FROM read_parquet($1)
"""
POPULATION_SIDE = """
    SELECT
        CAST(relation_id AS VARCHAR) AS unique_id, birth_certificate_number AS certificate_number,
        mother.id_number AS mother_id_number, child.child_birth_date AS birth_date,
        child.child_sex_code AS sex_code, plural_order, parity, mother.birth_date AS mother_birth_date,
        mother.name AS mother_name, mother.phone AS mother_phone
    FROM read_parquet($1) AS child
    LEFT JOIN read_parquet($2) AS mother ON mother.person_id = child.mother_person_id
"""
