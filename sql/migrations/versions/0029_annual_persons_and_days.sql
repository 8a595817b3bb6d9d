-- Of the annual review, what signatures, visits and checks rest on: known by then, whole, and by persons of one
-- level each; and no case leaves it by a move.

-- An account as it is told apart from others: without case, blanks, marks that nobody sees, and wide letters.
CREATE FUNCTION subsidy.account_of(typed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(regexp_replace(normalize(typed, NFKC), '[[:space:][:cntrl:]\u00AD\u200B-\u200F\u2060\uFEFF]', '', 'g'))
$$;

CREATE OR REPLACE FUNCTION subsidy.different_accounts(accounts text[]) RETURNS integer LANGUAGE sql AS $$
    SELECT count(DISTINCT subsidy.account_of(account))::integer FROM unnest(accounts) AS account
    WHERE subsidy.account_of(account) <> ''
$$;

-- Who visits a case acts for its village, who checks it for the city.
CREATE OR REPLACE FUNCTION subsidy.check_level(of_case text, of_level text, account text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT level_code, recorded_by FROM subsidy.case_step WHERE case_number = of_case
            UNION ALL
            SELECT '4', person FROM subsidy.annual_visit
            CROSS JOIN unnest(recorded_by || investigators) AS person WHERE case_number = of_case
            UNION ALL
            SELECT '1', recorded_by FROM subsidy.annual_check WHERE case_number = of_case
        ) AS acted
        WHERE acted.level_code <> of_level AND subsidy.account_of(acted.recorded_by) = subsidy.account_of(account)
    ) THEN
        PERFORM subsidy.refuse_step(
            'case_same_person', '此人已为本案另一级经办 · a person who acted in this case for another level',
            '各级由不同的人经办 · another person at each level',
            '由本级其他人员办理 · let another person of this level do it');
    END IF;
END
$$;

CREATE FUNCTION subsidy.check_annual_person(of_year integer, of_programme text, of_level text, account text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT level_code, recorded_by AS person FROM subsidy.annual_sign
            WHERE cycle_year = of_year AND programme_code = of_programme
            UNION ALL
            SELECT '4', visitor FROM subsidy.annual_visit INNER JOIN subsidy.case_life USING (case_number)
            CROSS JOIN unnest(annual_visit.recorded_by || investigators) AS visitor
            WHERE cycle_year = of_year AND programme_code = of_programme
            UNION ALL
            SELECT '1', annual_check.recorded_by
            FROM subsidy.annual_check INNER JOIN subsidy.case_life USING (case_number)
            WHERE cycle_year = of_year AND programme_code = of_programme
        ) AS acted
        WHERE acted.level_code <> of_level AND subsidy.account_of(acted.person) = subsidy.account_of(account)
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

-- Whether a visit looked into exceptions that were known on its day, and have been since without a break.
CREATE FUNCTION subsidy.annual_visit_holds(of_case text, on_day date, reasons text[])
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(review.reason_codes @> reasons) AND min(review.recorded_from) <= on_day, FALSE)
    FROM subsidy.case_review AS review
    WHERE review.case_number = of_case AND (review.recorded_to IS NULL OR review.recorded_to > on_day)
$$;

-- What a village signs of each case: what it listed, or would list: a case continues by itself, by a visit, or
-- exits; NULL waits for its village. From `known_on` on all was known that says so.
DROP FUNCTION subsidy.annual_result(integer, text, text);
CREATE FUNCTION subsidy.annual_result(of_year integer, of_programme text, of_division text)
RETURNS TABLE (
    case_number text, division_code text, step_number integer, state_code text, result_code text,
    reason_codes text[], exit_reason_code text, is_listed boolean, known_on date
) LANGUAGE sql STABLE AS $$
    SELECT
        step.case_number, step.division_code, step.step_number, step.to_state_code,
        CASE
            WHEN listed.result_code IS NOT NULL THEN listed.result_code
            WHEN step.to_state_code IN ('exit_proposed', 'exit_passed') THEN 'exit'
            WHEN step.to_state_code = 'in_payment' AND review.finding_code = 'continue' THEN 'continued'
            WHEN review.finding_code IS NOT NULL AND visited.visited_on IS NOT NULL THEN 'visited'
        END,
        coalesce(review.reason_codes, '{}'), step.exit_reason_code, listed.result_code IS NOT NULL,
        greatest(step.happened_on, review.recorded_from, visited.visited_on)
    FROM subsidy.annual_standing(of_year, of_programme, of_division) AS step
    LEFT JOIN subsidy.annual_case AS listed
        ON listed.cycle_year = of_year AND listed.case_number = step.case_number
    LEFT JOIN subsidy.case_review AS review
        ON review.case_number = step.case_number AND review.recorded_to IS NULL
    LEFT JOIN LATERAL (
        SELECT min(visit.visited_on) AS visited_on FROM subsidy.annual_visit AS visit
        WHERE visit.cycle_year = of_year AND visit.case_number = step.case_number
            AND visit.step_number = step.step_number
            AND subsidy.annual_visit_holds(visit.case_number, visit.visited_on, review.reason_codes)
    ) AS visited ON TRUE
$$;

CREATE OR REPLACE FUNCTION subsidy.list_annual_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subsidy.annual_case (
        cycle_year, case_number, programme_code, division_code, step_number, state_code, result_code,
        reason_codes, exit_reason_code)
    SELECT NEW.cycle_year, result.case_number, NEW.programme_code, NEW.division_code, result.step_number,
        result.state_code, result.result_code, result.reason_codes, result.exit_reason_code
    FROM subsidy.annual_result(NEW.cycle_year, NEW.programme_code, NEW.division_code) AS result
    -- Others moved here since another village listed them.
    WHERE NOT result.is_listed;
    RETURN NULL;
END
$$;

-- Digits with which the divisions beneath one begin; those that lie above it are what its own code begins with.
CREATE FUNCTION subsidy.digits_of(division text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(division, '(0{10}|0{6}|0{3})$', '')
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
        OR NOT subsidy.annual_visit_holds(NEW.case_number, NEW.visited_on, NEW.reason_codes)
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
        SELECT FROM subsidy.annual_case WHERE cycle_year = NEW.cycle_year AND case_number = NEW.case_number
    ) OR EXISTS (
        SELECT FROM subsidy.annual_sign WHERE cycle_year = NEW.cycle_year
            AND programme_code = newest.programme_code AND division_code = newest.division_code
    ) THEN
        PERFORM subsidy.refuse_step(
            'annual_signed', '村居已签批 · a village that has signed', '签批前的核实 · a visit before its list',
            '如不符合，提出退出 · if the case does not continue, propose its exit');
    END IF;
    PERFORM subsidy.check_level(NEW.case_number, '4', NEW.recorded_by);
    PERFORM subsidy.check_annual_person(NEW.cycle_year, newest.programme_code, '4', person)
    FROM unnest(NEW.recorded_by || NEW.investigators) AS person;
    RETURN NEW;
END
$$;

-- Whether all beneath have signed, by the day of what is signed or checked above them: villages with cases that
-- are on no list, and every division between cases and this one.
CREATE FUNCTION subsidy.check_annual_signed(sign subsidy.annual_sign) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unsigned bigint;
    late_below date;
BEGIN
    WITH about AS (
        SELECT division_code FROM subsidy.annual_case
        WHERE cycle_year = sign.cycle_year AND programme_code = sign.programme_code
            AND starts_with(division_code, subsidy.digits_of(sign.division_code))
        UNION
        SELECT step.division_code
        FROM subsidy.annual_standing(sign.cycle_year, sign.programme_code, sign.division_code) AS step
        WHERE NOT EXISTS (
            SELECT FROM subsidy.annual_case AS listed
            WHERE listed.cycle_year = sign.cycle_year AND listed.case_number = step.case_number)
    ),
    expected AS (
        SELECT DISTINCT rpad(left(about.division_code, digits), 12, '0') AS beneath
        FROM about CROSS JOIN unnest(
            CASE sign.level_code WHEN '3' THEN '{12}' WHEN '2' THEN '{12,9}' ELSE '{12,9,6}' END::integer[]
        ) AS digits
    )
    SELECT CASE WHEN EXISTS (SELECT FROM about) THEN count(*) END INTO unsigned FROM expected
    WHERE NOT EXISTS (
        SELECT FROM subsidy.annual_sign AS signed
        WHERE signed.cycle_year = sign.cycle_year AND signed.programme_code = sign.programme_code
            AND signed.division_code = expected.beneath);
    IF unsigned IS NULL THEN
        PERFORM subsidy.refuse_step(
            'annual_nothing', '该区划没有个案 · a division without cases', '有个案的区划 · a division with cases',
            '核对区划与项目 · correct the division or the programme');
    ELSIF unsigned > 0 THEN
        PERFORM subsidy.refuse_step(
            'annual_beneath_open', format('下级 %s 个单位未签批 · %s division(s) beneath that have not signed',
                unsigned, unsigned),
            '下级全部签批 · every division beneath with cases signed',
            '催办下级 · see who waits: padis annual status');
    END IF;
    SELECT max(signed_on) INTO late_below FROM subsidy.annual_sign
    WHERE cycle_year = sign.cycle_year AND programme_code = sign.programme_code
        AND starts_with(division_code, subsidy.digits_of(sign.division_code));
    IF sign.signed_on < late_below THEN
        PERFORM subsidy.refuse_step(
            'annual_before_beneath', format('早于下级的 %s · before %s, on which one beneath signed',
                late_below, late_below),
            '下级签批当日或之后 · a day from then on', '更正日期 · correct the day');
    END IF;
END
$$;

-- The day from which all was known that a town, a district or the city signs: exits, and the checks of the sample.
CREATE FUNCTION subsidy.annual_known_above(sign subsidy.annual_sign) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (
            SELECT max(step.happened_on)
            FROM subsidy.annual_case AS listed
            INNER JOIN subsidy.case_step AS step USING (case_number)
            WHERE listed.cycle_year = sign.cycle_year AND listed.programme_code = sign.programme_code
                AND starts_with(listed.division_code, subsidy.digits_of(sign.division_code))
                AND step.step_code IN ('propose_exit', 'pass_exit', 'confirm_exit', 'drop_exit')
        ),
        (
            SELECT max(checked.checked_on)
            FROM subsidy.annual_check AS checked
            INNER JOIN subsidy.annual_case AS listed USING (cycle_year, case_number)
            WHERE sign.level_code = '1' AND checked.cycle_year = sign.cycle_year
                AND listed.programme_code = sign.programme_code
        ))
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
    IF EXISTS (
        SELECT FROM subsidy.annual_sign AS signed
        WHERE signed.cycle_year = NEW.cycle_year AND signed.programme_code = NEW.programme_code
            AND signed.division_code = NEW.division_code
    ) THEN
        -- Its key refuses it.
        RETURN NEW;
    END IF;
    PERFORM subsidy.check_annual_person(NEW.cycle_year, NEW.programme_code, NEW.level_code, NEW.recorded_by);
    IF EXISTS (
        SELECT FROM subsidy.annual_sign AS above
        WHERE above.cycle_year = NEW.cycle_year AND above.programme_code = NEW.programme_code
            AND above.division_code <> NEW.division_code
            AND starts_with(NEW.division_code, subsidy.digits_of(above.division_code))
    ) THEN
        PERFORM subsidy.refuse_step(
            'annual_above_signed', '上级已签批 · a division above that has signed',
            '上级签批之前 · a signature before those above it', '留待下年度 · leave it to the review of next year');
    ELSIF NEW.level_code = '4' THEN
        -- Steps of these cases wait until the list is there.
        PERFORM FROM subsidy.case_life WHERE case_number IN (
            SELECT standing.case_number
            FROM subsidy.annual_standing(NEW.cycle_year, NEW.programme_code, NEW.division_code) AS standing)
        ORDER BY case_number FOR UPDATE;
        SELECT count(*) FILTER (WHERE result.result_code IS NULL), max(result.known_on)
        INTO waiting, known_on
        FROM subsidy.annual_result(NEW.cycle_year, NEW.programme_code, NEW.division_code) AS result
        WHERE NOT result.is_listed;
        IF waiting > 0 THEN
            PERFORM subsidy.refuse_step(
                'annual_exceptions_open', format('%s 件例外未核实 · %s case(s) in question and not visited',
                    waiting, waiting),
                '例外逐件核实或提出退出 · every exception visited, suspended and visited, or proposed for exit',
                '逐件处理 · see which: padis annual exceptions');
        ELSIF known_on IS NULL THEN
            PERFORM subsidy.refuse_step(
                'annual_nothing', '该村居没有待列个案 · a village without cases to list',
                '有个案的村居 · a village with cases', '核对区划与项目 · correct the division or the programme');
        END IF;
    ELSE
        PERFORM subsidy.check_annual_beneath(NEW);
        IF NEW.level_code = '1' THEN
            PERFORM subsidy.check_annual_sample(NEW);
        END IF;
        known_on := subsidy.annual_known_above(NEW);
    END IF;
    IF NEW.signed_on < known_on THEN
        PERFORM subsidy.refuse_step(
            'annual_before_known',
            format('早于 %s，所签批的当时尚未齐备 · before %s, when what is signed was not all known',
                known_on, known_on),
            format('%s 或之后 · a day from %s on', known_on, known_on), '更正日期 · correct the day');
    END IF;
    RETURN NEW;
END
$$;

-- A check is about lists that are whole, and by somebody of the city who did nothing for a level beneath. Once one
-- was taken nobody beneath signs any more, so that only the first has to look at them all.
CREATE OR REPLACE FUNCTION subsidy.guard_annual_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    city subsidy.annual_sign;
    next_number integer;
    earliest date;
BEGIN
    SELECT life.programme_code INTO city.programme_code FROM subsidy.case_life AS life
    WHERE life.case_number = NEW.case_number;
    city.cycle_year := NEW.cycle_year;
    city.division_code := '110000000000';
    city.level_code := '1';
    city.signed_on := NEW.checked_on;
    -- Of a number that there is not nothing can be asked: its key refuses it.
    IF city.programme_code IS NOT NULL THEN
        PERFORM subsidy.hold_annual(NEW.cycle_year, city.programme_code);
        PERFORM subsidy.hold_case(NEW.case_number);
        IF EXISTS (
            SELECT FROM subsidy.annual_sign AS signed
            WHERE signed.cycle_year = NEW.cycle_year AND signed.programme_code = city.programme_code
                AND signed.level_code = '1'
        ) THEN
            PERFORM subsidy.refuse_step(
                'annual_signed', '市级已签批 · a review that the city has signed',
                '市级签批之前的抽查 · a check before that',
                '如有误，暂停或提出退出 · if it was amiss, suspend the case, or propose its exit');
        END IF;
        IF NOT EXISTS (
            SELECT FROM subsidy.annual_check AS checked
            INNER JOIN subsidy.annual_case AS listed USING (cycle_year, case_number)
            WHERE checked.cycle_year = NEW.cycle_year AND listed.programme_code = city.programme_code
        ) THEN
            PERFORM subsidy.check_annual_signed(city);
        END IF;
        PERFORM subsidy.check_annual_person(NEW.cycle_year, city.programme_code, '1', NEW.recorded_by);
        PERFORM subsidy.check_level(NEW.case_number, '1', NEW.recorded_by);
    END IF;
    SELECT
        coalesce(max(checked.check_number), 0) + 1,
        greatest(max(checked.checked_on), (
            SELECT max(signed.signed_on) FROM subsidy.annual_sign AS signed
            WHERE signed.cycle_year = NEW.cycle_year AND signed.programme_code = city.programme_code))
    INTO next_number, earliest
    FROM subsidy.annual_check AS checked
    WHERE checked.cycle_year = NEW.cycle_year AND checked.case_number = NEW.case_number;
    IF NEW.check_number <> next_number THEN
        PERFORM subsidy.refuse_step(
            'annual_check_number', format('第 %s 次抽查 · check %s', NEW.check_number, NEW.check_number),
            format('第 %s 次 · check %s', next_number, next_number), '重新登记 · look again');
    ELSIF NEW.checked_on < earliest THEN
        PERFORM subsidy.refuse_step(
            'annual_check_before', format('早于 %s 的签批或抽查 · before %s, of a signature or an earlier check',
                earliest, earliest),
            format('%s 或之后 · a day from %s on', earliest, earliest), '更正日期 · correct the day');
    END IF;
    RETURN NEW;
END
$$;

-- A case that is on no list may not move under a signature that was given without it, nor while one is given.
CREATE FUNCTION subsidy.guard_annual_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    FOR of_year IN extract(year FROM NEW.happened_on)::integer - 1 .. extract(year FROM NEW.happened_on)::integer
    LOOP
        PERFORM subsidy.hold_annual(of_year, NEW.programme_code);
        IF EXISTS (
            SELECT FROM subsidy.annual_sign AS signed
            WHERE signed.cycle_year = of_year AND signed.programme_code = NEW.programme_code
                AND signed.level_code <> '1'
                AND starts_with(NEW.division_code, subsidy.digits_of(signed.division_code))
        ) AND NOT EXISTS (
            SELECT FROM subsidy.annual_sign AS signed
            WHERE signed.cycle_year = of_year AND signed.programme_code = NEW.programme_code
                AND signed.level_code = '1'
        ) AND NOT EXISTS (
            SELECT FROM subsidy.annual_case AS listed
            WHERE listed.cycle_year = of_year AND listed.case_number = NEW.case_number
        ) AND EXISTS (
            SELECT FROM subsidy.annual_standing(of_year, NEW.programme_code, '110000000000') AS step
            WHERE step.case_number = NEW.case_number
        ) THEN
            PERFORM subsidy.refuse_step(
                'annual_move_unlisted',
                format('迁入地已签批 %s 年度，本案尚未列入名单 · the division it moves to signed the review of %s, and the '
                    'case is on no list', of_year, of_year),
                '原村居签批后迁移 · a move after its old village has listed it',
                '由原村居先核实、签批 · let the old village visit it and sign, then move it');
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE TRIGGER annual BEFORE INSERT ON subsidy.case_step FOR EACH ROW WHEN (NEW.step_code = 'move')
EXECUTE FUNCTION subsidy.guard_annual_move();
