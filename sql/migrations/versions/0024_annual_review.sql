-- What keys cannot tell of the annual review: which cases a village signs for, who signs before whom.

-- Lives that go on in a division, or whose exit is not decided: what its annual review is about. Whom the city
-- filed in the year itself was looked at by all levels already.
CREATE FUNCTION subsidy.annual_standing(of_year integer, of_programme text, of_division text)
RETURNS SETOF subsidy.case_step LANGUAGE sql STABLE AS $$
    SELECT step.* FROM subsidy.case_step AS step
    WHERE step.programme_code = of_programme
        AND step.to_state_code IN ('in_payment', 'suspended', 'exit_proposed', 'exit_passed')
        AND starts_with(step.division_code, regexp_replace(of_division, '(0{10}|0{6}|0{3})$', ''))
        AND NOT EXISTS (
            SELECT FROM subsidy.case_step AS later
            WHERE later.case_number = step.case_number AND later.step_number > step.step_number)
        AND NOT EXISTS (
            SELECT FROM subsidy.case_step AS filed
            WHERE filed.case_number = step.case_number AND filed.step_code = 'file'
                AND extract(year FROM filed.happened_on) >= of_year)
$$;

-- What a village signs: a case continues by itself, by a visit, or exits; NULL waits for its village.
CREATE FUNCTION subsidy.annual_result(of_year integer, of_programme text, of_division text)
RETURNS TABLE (
    case_number text, division_code text, step_number integer, state_code text, result_code text,
    reason_codes text[], exit_reason_code text
) LANGUAGE sql STABLE AS $$
    SELECT
        step.case_number, step.division_code, step.step_number, step.to_state_code,
        CASE
            WHEN step.to_state_code IN ('exit_proposed', 'exit_passed') THEN 'exit'
            WHEN step.to_state_code = 'in_payment' AND review.finding_code = 'continue' THEN 'continued'
            WHEN review.finding_code IS NOT NULL AND EXISTS (
                SELECT FROM subsidy.annual_visit AS visit
                WHERE visit.cycle_year = of_year AND visit.case_number = step.case_number
                    AND visit.step_number = step.step_number AND visit.reason_codes @> review.reason_codes
            ) THEN 'visited'
        END,
        coalesce(review.reason_codes, '{}'), step.exit_reason_code
    FROM subsidy.annual_standing(of_year, of_programme, of_division) AS step
    LEFT JOIN subsidy.case_review AS review
        ON review.case_number = step.case_number AND review.recorded_to IS NULL
$$;

-- The sample of a year's lists: whoever comes first by digest, so that nobody chooses.
CREATE FUNCTION subsidy.annual_sample(of_year integer, of_programme text, on_day date)
RETURNS TABLE (case_number text) LANGUAGE sql STABLE AS $$
    SELECT listed.case_number
    FROM subsidy.annual_case AS listed
    WHERE listed.cycle_year = of_year AND listed.programme_code = of_programme
    ORDER BY sha256(convert_to(
        'annual/' || of_year || '-' || of_programme || '/' || listed.case_number, 'UTF8'))
    LIMIT (
        SELECT ceil(subsidy.life_limit_on('sample_percent', on_day) * count(*) / 100.0)::bigint
        FROM subsidy.annual_case AS counted
        WHERE counted.cycle_year = of_year AND counted.programme_code = of_programme
    )
$$;

CREATE FUNCTION subsidy.guard_annual_visit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step := subsidy.hold_case(NEW.case_number);
    investigators integer := subsidy.different_accounts(NEW.investigators);
    least integer := subsidy.life_limit_on('investigators', NEW.visited_on);
BEGIN
    IF newest.step_number IS DISTINCT FROM NEW.step_number OR NEW.visited_on < newest.happened_on THEN
        PERFORM subsidy.refuse_step(
            'annual_visit_outdated', '核实所依据的步骤已过或未到 · a visit about a step that is over or was not yet',
            '最新步骤之后的核实 · a visit since the newest step', '更正日期或步骤 · correct the day or the step');
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
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.check_annual_beneath(sign subsidy.annual_sign) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unsigned bigint;
    late_below date;
    undecided bigint;
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

CREATE FUNCTION subsidy.check_annual_sample(sign subsidy.annual_sign) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint;
    amiss bigint;
BEGIN
    WITH newest AS (
        SELECT DISTINCT ON (checked.case_number)
            checked.case_number, is_procedure_complete AND is_exit_correct AS is_in_order
        FROM subsidy.annual_check AS checked
        INNER JOIN subsidy.annual_case USING (cycle_year, case_number)
        WHERE cycle_year = sign.cycle_year AND programme_code = sign.programme_code
        ORDER BY checked.case_number, check_number DESC
    )
    SELECT count(*) FILTER (WHERE sampled.case_number IS NOT NULL AND newest.case_number IS NULL),
        count(*) FILTER (WHERE NOT newest.is_in_order)
    INTO waiting, amiss
    FROM subsidy.annual_sample(sign.cycle_year, sign.programme_code, sign.signed_on) AS sampled
    FULL JOIN newest USING (case_number);
    IF amiss > 0 THEN
        PERFORM subsidy.refuse_step(
            'annual_check_amiss', format('%s 件抽查有误 · %s checked case(s) not in order', amiss, amiss),
            '抽查个案均无误 · checked cases that are in order',
            '由村居更正后再次抽查 · let the village put them right, then check them again');
    ELSIF waiting > 0 THEN
        PERFORM subsidy.refuse_step(
            'annual_sample_unchecked', format('样本中 %s 件未抽查 · %s case(s) of the sample not checked',
                waiting, waiting),
            '样本全部抽查 · the whole sample checked', '抽查后再签批 · check them, then sign');
    END IF;
END
$$;

CREATE FUNCTION subsidy.guard_annual_sign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint;
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        PERFORM subsidy.refuse_step(
            'case_snapshot', '隔离级别为 REPEATABLE READ · a transaction of isolation REPEATABLE READ',
            'READ COMMITTED 或 SERIALIZABLE · READ COMMITTED or SERIALIZABLE',
            '用单独事务登记 · write about cases in a transaction of its own');
    END IF;
    PERFORM pg_advisory_xact_lock(
        hashtextextended(format('subsidy.annual/%s/%s', NEW.cycle_year, NEW.programme_code), 0));
    IF EXISTS (
        SELECT FROM subsidy.annual_sign
        WHERE cycle_year = NEW.cycle_year AND programme_code = NEW.programme_code
            AND level_code <> NEW.level_code AND lower(btrim(recorded_by)) = lower(btrim(NEW.recorded_by))
    ) THEN
        PERFORM subsidy.refuse_step(
            'annual_same_person', '此人已为另一级签批 · a person who signed for another level',
            '各级由不同的人签批 · another person at each level',
            '由本级其他人员办理 · let another person of this level do it');
    END IF;
    IF NEW.level_code = '4' THEN
        -- Steps of these cases wait until the list is there.
        PERFORM FROM subsidy.case_life WHERE case_number IN (
            SELECT standing.case_number
            FROM subsidy.annual_standing(NEW.cycle_year, NEW.programme_code, NEW.division_code) AS standing)
        ORDER BY case_number FOR UPDATE;
        SELECT count(*) INTO waiting
        FROM subsidy.annual_result(NEW.cycle_year, NEW.programme_code, NEW.division_code)
        WHERE result_code IS NULL;
        IF waiting > 0 THEN
            PERFORM subsidy.refuse_step(
                'annual_exceptions_open', format('%s 件例外未核实 · %s case(s) in question and not visited',
                    waiting, waiting),
                '例外逐件核实或提出退出 · every exception visited, suspended and visited, or proposed for exit',
                '逐件处理 · see which: padis annual exceptions');
        ELSIF NOT EXISTS (SELECT FROM subsidy.annual_standing(NEW.cycle_year, NEW.programme_code, NEW.division_code)) THEN
            PERFORM subsidy.refuse_step(
                'annual_nothing', '该村居没有个案 · a village without cases', '有个案的村居 · a village with cases',
                '核对区划与项目 · correct the division or the programme');
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

-- The list of a village is what it signed: made here, with the signature, so that nobody leaves a case out.
CREATE FUNCTION subsidy.list_annual_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subsidy.annual_case (
        cycle_year, case_number, programme_code, division_code, step_number, state_code, result_code,
        reason_codes, exit_reason_code)
    SELECT NEW.cycle_year, result.case_number, NEW.programme_code, NEW.division_code, result.step_number,
        result.state_code, result.result_code, result.reason_codes, result.exit_reason_code
    FROM subsidy.annual_result(NEW.cycle_year, NEW.programme_code, NEW.division_code) AS result
    -- Moved since another village listed it.
    WHERE NOT EXISTS (
        SELECT FROM subsidy.annual_case AS listed
        WHERE listed.cycle_year = NEW.cycle_year AND listed.case_number = result.case_number);
    RETURN NULL;
END
$$;

CREATE FUNCTION subsidy.guard_annual_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        PERFORM subsidy.refuse_step(
            'annual_list_closed', '名单随签批生成 · a case added to a list by hand',
            '签批时的名单 · the list as the database makes it', '由村居签批 · let the village sign');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_annual_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next_number integer;
BEGIN
    PERFORM subsidy.hold_case(NEW.case_number);
    PERFORM subsidy.check_level(NEW.case_number, '1', NEW.recorded_by);
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

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['annual_visit', 'annual_sign', 'annual_case', 'annual_check']
    LOOP
        EXECUTE format(
            'CREATE TRIGGER guard BEFORE INSERT ON subsidy.%1$I FOR EACH ROW EXECUTE FUNCTION subsidy.guard_%1$s()',
            name);
        EXECUTE format(
            'CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON subsidy.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION subsidy.keep_case_record()', name);
    END LOOP;
    CREATE TRIGGER list AFTER INSERT ON subsidy.annual_sign
    FOR EACH ROW WHEN (NEW.level_code = '4') EXECUTE FUNCTION subsidy.list_annual_cases();
END
$$;
