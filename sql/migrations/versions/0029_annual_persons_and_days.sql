-- Of the annual review, what signatures and checks rest on: known by then, and by persons of one level each.

-- Levels for which a person acted in the review of a year: a visit is of the village, a check of the city.
CREATE FUNCTION subsidy.annual_levels_of(of_year integer, of_programme text, account text)
RETURNS TABLE (level_code text) LANGUAGE sql STABLE AS $$
    SELECT signed.level_code FROM subsidy.annual_sign AS signed
    WHERE signed.cycle_year = of_year AND signed.programme_code = of_programme
        AND lower(btrim(signed.recorded_by)) = lower(btrim(account))
    UNION
    SELECT '4' FROM subsidy.annual_visit AS visit INNER JOIN subsidy.case_life AS life USING (case_number)
    WHERE visit.cycle_year = of_year AND life.programme_code = of_programme
        AND lower(btrim(visit.recorded_by)) = lower(btrim(account))
    UNION
    SELECT '1' FROM subsidy.annual_check AS checked INNER JOIN subsidy.case_life AS life USING (case_number)
    WHERE checked.cycle_year = of_year AND life.programme_code = of_programme
        AND lower(btrim(checked.recorded_by)) = lower(btrim(account))
$$;

CREATE FUNCTION subsidy.check_annual_person(of_year integer, of_programme text, of_level text, account text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM subsidy.annual_levels_of(of_year, of_programme, account) AS acted
        WHERE acted.level_code <> of_level
    ) THEN
        PERFORM subsidy.refuse_step(
            'annual_same_person',
            '此人在本年度年审中已为另一级办理 · a person who signed, visited or checked for another level',
            '各级由不同的人办理 · another person at each level',
            '由本级其他人员办理 · let another person of this level do it');
    END IF;
END
$$;

-- One after the other within a year and programme: what a guard has seen stays so until its end.
CREATE FUNCTION subsidy.hold_annual(of_year integer, of_programme text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended(format('subsidy.annual/%s/%s', of_year, of_programme), 0))
$$;

-- The day from which all was known that a village signs: steps, findings of the nights, and visits.
CREATE FUNCTION subsidy.annual_known_on(of_year integer, of_programme text, of_division text)
RETURNS date LANGUAGE sql STABLE AS $$
    SELECT max(greatest(
        step.happened_on,
        CASE result.result_code
            WHEN 'continued' THEN review.recorded_from
            WHEN 'visited' THEN (
                SELECT min(visit.visited_on) FROM subsidy.annual_visit AS visit
                WHERE visit.cycle_year = of_year AND visit.case_number = result.case_number
                    AND visit.step_number = result.step_number AND visit.reason_codes @> result.reason_codes)
        END))
    FROM subsidy.annual_result(of_year, of_programme, of_division) AS result
    INNER JOIN subsidy.case_step AS step USING (case_number, step_number)
    LEFT JOIN subsidy.case_review AS review
        ON review.case_number = result.case_number AND review.recorded_to IS NULL
$$;

-- Who visits looks into what is known: an exception that a later night found was not looked into.
CREATE OR REPLACE FUNCTION subsidy.guard_annual_visit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step;
    investigators integer := subsidy.different_accounts(NEW.investigators);
    least integer := subsidy.life_limit_on('investigators', NEW.visited_on);
BEGIN
    PERFORM subsidy.hold_annual(NEW.cycle_year, programme_code)
    FROM subsidy.case_life WHERE case_number = NEW.case_number;
    newest := subsidy.hold_case(NEW.case_number);
    IF newest.step_number IS DISTINCT FROM NEW.step_number OR NEW.visited_on < newest.happened_on
        OR NOT NEW.reason_codes <@ ARRAY(
            SELECT unnest(review.reason_codes) FROM subsidy.case_review AS review
            WHERE review.case_number = NEW.case_number AND review.recorded_from <= NEW.visited_on)
    THEN
        PERFORM subsidy.refuse_step(
            'annual_visit_outdated',
            '核实所依据的步骤或例外已过或未到 · a visit about a step or an exception that is over or was not yet known',
            '最新步骤和例外知悉之后的核实 · a visit since the newest step, and since its exceptions were known',
            '更正日期或步骤 · correct the day or the step');
    ELSIF investigators < least THEN
        PERFORM subsidy.refuse_step(
            'annual_visit_small', format('%s 名核实人 · %s different investigators', investigators, investigators),
            format('至少 %s 名 · at least %s', least, least),
            '由足够人员入户核实 · visit with enough persons, or name all who were there');
    ELSIF EXISTS (
        SELECT FROM subsidy.annual_sign WHERE cycle_year = NEW.cycle_year
            AND programme_code = newest.programme_code AND division_code = newest.division_code
    ) THEN
        PERFORM subsidy.refuse_step(
            'annual_signed', '村居已签批 · a village that has signed', '签批前的核实 · a visit before its list',
            '如不符合，提出退出 · if the case does not continue, propose its exit');
    END IF;
    PERFORM subsidy.check_level(NEW.case_number, '4', NEW.recorded_by);
    PERFORM subsidy.check_annual_person(NEW.cycle_year, newest.programme_code, '4', NEW.recorded_by);
    RETURN NEW;
END
$$;

-- Whether all beneath have signed, by the day of what is signed or checked above them.
CREATE FUNCTION subsidy.check_annual_signed(sign subsidy.annual_sign) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unsigned bigint;
    late_below date;
BEGIN
    -- Whoever has cases beneath, and every division between those and this one.
    SELECT count(*) INTO unsigned FROM (
        SELECT DISTINCT rpad(left(step.division_code, digits), 12, '0') AS beneath
        FROM subsidy.annual_standing(sign.cycle_year, sign.programme_code, sign.division_code) AS step
        CROSS JOIN unnest(
            CASE sign.level_code WHEN '3' THEN '{12}' WHEN '2' THEN '{12,9}' ELSE '{12,9,6}' END::integer[]
        ) AS digits
    ) AS expected
    WHERE NOT EXISTS (
        SELECT FROM subsidy.annual_sign AS signed
        WHERE signed.cycle_year = sign.cycle_year AND signed.programme_code = sign.programme_code
            AND signed.division_code = expected.beneath);
    IF unsigned > 0 THEN
        PERFORM subsidy.refuse_step(
            'annual_beneath_open', format('下级 %s 个单位未签批 · %s division(s) beneath that have not signed',
                unsigned, unsigned),
            '下级全部签批 · every division beneath with cases signed',
            '催办下级 · see who waits: padis annual status');
    END IF;
    SELECT max(signed_on) INTO late_below FROM subsidy.annual_sign
    WHERE cycle_year = sign.cycle_year AND programme_code = sign.programme_code
        AND starts_with(division_code, regexp_replace(sign.division_code, '(0{10}|0{6}|0{3})$', ''));
    IF sign.signed_on < late_below THEN
        PERFORM subsidy.refuse_step(
            'annual_before_beneath', format('早于下级的 %s · before %s, on which one beneath signed',
                late_below, late_below),
            '下级签批当日或之后 · a day from then on', '更正日期 · correct the day');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION subsidy.check_annual_beneath(sign subsidy.annual_sign) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    undecided bigint;
BEGIN
    PERFORM subsidy.check_annual_signed(sign);
    SELECT count(*) INTO undecided
    FROM subsidy.annual_standing(sign.cycle_year, sign.programme_code, sign.division_code) AS step
    WHERE step.to_state_code = 'exit_proposed'
        OR (step.to_state_code = 'exit_passed' AND sign.level_code IN ('1', '2'));
    IF undecided > 0 THEN
        PERFORM subsidy.refuse_step(
            'annual_exit_open', format('%s 件退出待本级处理 · %s exit(s) that wait for this level or one beneath',
                undecided, undecided),
            '退出已逐级处理 · every exit passed on, or dropped',
            '审核退出 · pass or confirm the exit, or drop it');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION subsidy.guard_annual_sign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint;
    known_on date;
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        PERFORM subsidy.refuse_step(
            'case_snapshot', '隔离级别为 REPEATABLE READ · a transaction of isolation REPEATABLE READ',
            'READ COMMITTED 或 SERIALIZABLE · READ COMMITTED or SERIALIZABLE',
            '用单独事务登记 · write about cases in a transaction of its own');
    END IF;
    PERFORM subsidy.hold_annual(NEW.cycle_year, NEW.programme_code);
    PERFORM subsidy.check_annual_person(NEW.cycle_year, NEW.programme_code, NEW.level_code, NEW.recorded_by);
    IF NEW.level_code = '4' THEN
        -- Steps of these cases wait until the list is there.
        PERFORM FROM subsidy.case_life WHERE case_number IN (
            SELECT standing.case_number
            FROM subsidy.annual_standing(NEW.cycle_year, NEW.programme_code, NEW.division_code) AS standing)
        ORDER BY case_number FOR UPDATE;
        SELECT count(*) INTO waiting
        FROM subsidy.annual_result(NEW.cycle_year, NEW.programme_code, NEW.division_code)
        WHERE result_code IS NULL;
        known_on := subsidy.annual_known_on(NEW.cycle_year, NEW.programme_code, NEW.division_code);
        IF waiting > 0 THEN
            PERFORM subsidy.refuse_step(
                'annual_exceptions_open', format('%s 件例外未核实 · %s case(s) in question and not visited',
                    waiting, waiting),
                '例外逐件核实或提出退出 · every exception visited, suspended and visited, or proposed for exit',
                '逐件处理 · see which: padis annual exceptions');
        ELSIF known_on IS NULL THEN
            PERFORM subsidy.refuse_step(
                'annual_nothing', '该村居没有个案 · a village without cases', '有个案的村居 · a village with cases',
                '核对区划与项目 · correct the division or the programme');
        ELSIF NEW.signed_on < known_on THEN
            PERFORM subsidy.refuse_step(
                'annual_before_known',
                format('早于 %s，名单当时尚未齐备 · before %s, when what is signed was not all known',
                    known_on, known_on),
                format('%s 或之后 · a day from %s on', known_on, known_on), '更正日期 · correct the day');
        END IF;
    ELSE
        PERFORM subsidy.check_annual_beneath(NEW);
        IF NEW.level_code = '1' THEN
            PERFORM subsidy.check_annual_sample(NEW);
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- A check is about lists that are whole, and by somebody of the city who did nothing for a level beneath.
CREATE OR REPLACE FUNCTION subsidy.guard_annual_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    city subsidy.annual_sign;
    next_number integer;
BEGIN
    SELECT programme_code INTO city.programme_code FROM subsidy.annual_case
    WHERE cycle_year = NEW.cycle_year AND case_number = NEW.case_number;
    -- A case on no list is refused by its key.
    IF city.programme_code IS NOT NULL THEN
        city.cycle_year := NEW.cycle_year;
        city.division_code := '110000000000';
        city.level_code := '1';
        city.signed_on := NEW.checked_on;
        PERFORM subsidy.hold_annual(NEW.cycle_year, city.programme_code);
        PERFORM subsidy.check_annual_signed(city);
        PERFORM subsidy.check_annual_person(NEW.cycle_year, city.programme_code, '1', NEW.recorded_by);
    END IF;
    PERFORM subsidy.hold_case(NEW.case_number);
    PERFORM subsidy.check_level(NEW.case_number, '1', NEW.recorded_by);
    IF EXISTS (
        SELECT FROM subsidy.annual_visit AS visit CROSS JOIN unnest(visit.investigators) AS investigator
        WHERE visit.cycle_year = NEW.cycle_year AND visit.case_number = NEW.case_number
            AND lower(btrim(investigator)) = lower(btrim(NEW.recorded_by))
    ) THEN
        PERFORM subsidy.refuse_step(
            'annual_own_visit', '抽查人参加了入户核实 · a check by somebody who visited this case',
            '未参加核实的人抽查 · a person who did not visit it', '由本级其他人员抽查 · let another person check it');
    END IF;
    SELECT coalesce(max(check_number), 0) + 1 INTO next_number FROM subsidy.annual_check
    WHERE cycle_year = NEW.cycle_year AND case_number = NEW.case_number;
    IF NEW.check_number <> next_number THEN
        PERFORM subsidy.refuse_step(
            'annual_check_number', format('第 %s 次抽查 · check %s', NEW.check_number, NEW.check_number),
            format('第 %s 次 · check %s', next_number, next_number), '重新登记 · look again');
    END IF;
    RETURN NEW;
END
$$;
