-- facts: one row per person of staging.population_person on $business_date; NULL = not known.
-- The columns are promised in policy/facts.yaml; the parameters come from there too. Who asks for few of them pays
-- for few. `surgical_complication` has one row per certificate: person_id, level_code, certified_date, certifier_name.
WITH as_of AS (
    SELECT
        year($business_date) AS as_of_year,
        -- Month and day up to which birthdays have been reached. Read as 28 February, a leap birthday
        -- is reached on the last day of February even where that is the 28th.
        CASE
            WHEN $leap_birthday = '02-28' AND month($business_date) = 2 AND $business_date = last_day($business_date)
                THEN 229
            ELSE month($business_date) * 100 + day($business_date)
        END AS as_of_month_day
),

person AS NOT MATERIALIZED (
    SELECT
        person_id,
        sex_code,
        birth_date,
        as_of_year - year(birth_date)
        - CASE WHEN month(birth_date) * 100 + day(birth_date) > as_of_month_day THEN 1 ELSE 0 END AS age_years,
        hukou_division_code,
        -- Beijing merged the kinds of hukou about 2016; what counts is the nature before.
        CASE coalesce(hukou_nature_before_reform_code, hukou_nature_code)
            WHEN '2' THEN TRUE WHEN '1' THEN FALSE WHEN '9' THEN FALSE
        END AS is_rural_hukou,
        marital_status_code,
        life_status_code = '1' AS is_alive,
        only_child_certificate_number IS NOT NULL AS has_only_child_certificate
    FROM population_person
    CROSS JOIN as_of
),

marriage_in_force AS NOT MATERIALIZED (
    SELECT marriage_id, event_date, husband_person_id, wife_person_id
    FROM marriage
    WHERE event_date <= $business_date AND (end_date IS NULL OR end_date > $business_date)
),

spouse_of AS (
    SELECT person_id, max_by(spouse_person_id, (event_date, marriage_id)) AS spouse_person_id
    FROM (
        SELECT husband_person_id AS person_id, wife_person_id AS spouse_person_id, event_date, marriage_id
        FROM marriage_in_force
        UNION ALL
        SELECT wife_person_id AS person_id, husband_person_id AS spouse_person_id, event_date, marriage_id
        FROM marriage_in_force
    ) AS party
    GROUP BY person_id
),

child AS NOT MATERIALIZED (
    SELECT
        family_child.*,
        is_alive
        AND as_of_year - year(child_birth_date)
        - CASE WHEN month(child_birth_date) * 100 + day(child_birth_date) > as_of_month_day THEN 1 ELSE 0 END < $child_age
            AS is_minor,
        adopted_date IS NULL AND child_birth_date BETWEEN $lawful_births_from AND $lawful_births_to AS is_examined_birth
    FROM family_child
    CROSS JOIN as_of
),

parent_child AS NOT MATERIALIZED (
    SELECT mother_person_id AS person_id, child.* FROM child WHERE mother_person_id IS NOT NULL
    UNION ALL
    SELECT father_person_id AS person_id, child.* FROM child
    WHERE father_person_id IS NOT NULL AND father_person_id IS DISTINCT FROM mother_person_id
),

-- The only_child_ columns mean something only where children_count = 1.
spouse_facts AS (
    SELECT spouse_of.person_id, spouse.age_years, spouse.is_rural_hukou
    FROM spouse_of
    LEFT JOIN person AS spouse ON spouse_of.spouse_person_id = spouse.person_id
),

children_of AS (
    SELECT
        person_id,
        CAST(count(*) AS INTEGER) AS children_count,
        CAST(sum(CASE WHEN is_alive THEN 1 ELSE 0 END) AS INTEGER) AS living_children_count,
        CAST(sum(CASE WHEN is_alive AND child_sex_code = '2' THEN 1 ELSE 0 END) AS INTEGER) AS living_girls_count,
        CAST(sum(CASE WHEN is_alive AND child_sex_code <> '2' THEN 1 ELSE 0 END) AS INTEGER) AS living_others_count,
        CAST(sum(CASE WHEN is_examined_birth AND policy_attribute_code = '2' THEN 1 ELSE 0 END) AS INTEGER)
            AS unlawful_births_count,
        CAST(sum(CASE WHEN is_examined_birth AND policy_attribute_code IS NULL THEN 1 ELSE 0 END) AS INTEGER)
            AS births_of_unknown_lawfulness_count,
        bool_or(is_alive) AS is_only_child_alive,
        bool_or(death_date IS NOT NULL) AS has_only_child_death_date,
        bool_or(death_proof_code IS NOT NULL) AS has_only_child_death_proof,
        max(TRY_CAST(disability_level_code AS INTEGER)) AS only_child_disability_level,
        bool_or(disability_certificate_number IS NOT NULL) AS has_only_child_disability_certificate,
        bool_or(is_minor) AS has_minor_child,
        count(*) = 2 AND bool_and(plural_count = 2 AND adopted_date IS NULL) AND max(child_birth_date) - min(child_birth_date) <= 1
            AS has_only_twins
    FROM parent_child
    GROUP BY person_id
),

-- Of several certificates the newest; one without a date is older than any other.
complication AS (
    SELECT
        person_id,
        max_by(TRY_CAST(level_code AS INTEGER), coalesce(certified_date, DATE '0001-01-01')) AS complication_level,
        max_by(
            certified_date IS NOT NULL AND certifier_name IS NOT NULL, coalesce(certified_date, DATE '0001-01-01')
        ) AS has_complication_certificate
    FROM surgical_complication
    WHERE certified_date IS NULL OR certified_date <= $business_date
    GROUP BY person_id
)

SELECT
    person.person_id,
    person.is_alive,
    person.hukou_division_code,
    person.sex_code,
    person.birth_date,
    CAST(person.age_years AS INTEGER) AS age_years,
    CASE
        WHEN spouse.person_id IS NOT NULL THEN 'known'
        WHEN person.marital_status_code IN ('10', '30', '40') THEN 'none'
        ELSE 'unknown'
    END AS spouse_state_code,
    CAST(spouse.age_years AS INTEGER) AS spouse_age_years,
    person.is_rural_hukou,
    spouse.is_rural_hukou AS is_spouse_rural_hukou,
    coalesce(children_count, 0) AS children_count,
    coalesce(living_children_count, 0) AS living_children_count,
    CASE
        WHEN coalesce(living_children_count, 0) <> 2 OR living_others_count > 0 THEN FALSE
        WHEN living_girls_count = 2 THEN TRUE
    END AS has_two_living_girls,
    coalesce(unlawful_births_count, 0) AS unlawful_births_count,
    coalesce(births_of_unknown_lawfulness_count, 0) AS births_of_unknown_lawfulness_count,
    CASE WHEN children_count = 1 THEN is_only_child_alive END AS is_only_child_alive,
    CASE WHEN children_count = 1 THEN has_only_child_death_date END AS has_only_child_death_date,
    CASE WHEN children_count = 1 THEN has_only_child_death_proof END AS has_only_child_death_proof,
    CASE WHEN children_count = 1 THEN only_child_disability_level END AS only_child_disability_level,
    CASE WHEN children_count = 1 THEN has_only_child_disability_certificate END
        AS has_only_child_disability_certificate,
    person.has_only_child_certificate,
    coalesce(has_minor_child, FALSE) AS has_minor_child,
    coalesce(has_only_twins, FALSE) AS has_only_twins,
    complication_level,
    coalesce(has_complication_certificate, FALSE) AS has_complication_certificate
FROM person
LEFT JOIN spouse_facts AS spouse ON person.person_id = spouse.person_id
LEFT JOIN children_of ON person.person_id = children_of.person_id
LEFT JOIN complication ON person.person_id = complication.person_id
