-- What keys cannot tell of the life of a case. Every refusal is written as schemas.refusal.Refusal writes it.

-- A parameter named `found` would be PL/pgSQL's own flag of that name.
CREATE FUNCTION subsidy.refuse_step(code text, was_found text, expected text, to_do text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '[%] found: %; expected: %; to do: %', code, was_found, expected, to_do
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE FUNCTION subsidy.keep_case_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM subsidy.refuse_step(
        'case_record_kept', format('改写记录 · %s of %I.%I', lower(TG_OP), TG_TABLE_SCHEMA, TG_TABLE_NAME),
        '记录不改写 · a record that is never rewritten',
        '以后一步骤更正 · add the step that puts it right');
    RETURN NULL;
END
$$;

CREATE FUNCTION subsidy.life_limit_on(code text, day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found_value integer;
BEGIN
    SELECT value INTO found_value FROM subsidy.life_limit
    WHERE limit_code = code AND valid_from <= day ORDER BY valid_from DESC LIMIT 1;
    IF found_value IS NULL THEN
        PERFORM subsidy.refuse_step(
            'life_limit_missing', format('%s 无 %s · no %s on %s', day, code, code, day), '当日有效的限值 · a value in force',
            '补充当日限值及其依据 · append the value that held, with its document, to policy/case_life and by a migration');
    END IF;
    RETURN found_value;
END
$$;

-- Accounts are told apart without case and blanks.
CREATE FUNCTION subsidy.different_accounts(accounts text[]) RETURNS integer LANGUAGE sql AS $$
    SELECT count(DISTINCT lower(btrim(account)))::integer FROM unnest(accounts) AS account
    WHERE btrim(account) <> ''
$$;

-- Whoever writes about a case waits for whoever else does. In a snapshot that is kept through the
-- transaction, what the other one wrote would stay unseen.
CREATE FUNCTION subsidy.hold_case(held_number text) RETURNS subsidy.case_step LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step;
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        PERFORM subsidy.refuse_step(
            'case_snapshot', '隔离级别为 REPEATABLE READ · a transaction of isolation REPEATABLE READ',
            'READ COMMITTED 或 SERIALIZABLE · READ COMMITTED or SERIALIZABLE',
            '用单独事务登记 · write about cases in a transaction of its own');
    END IF;
    PERFORM 1 FROM subsidy.case_life WHERE case_number = held_number FOR UPDATE;
    SELECT * INTO newest FROM subsidy.case_step
    WHERE case_number = held_number ORDER BY step_number DESC LIMIT 1;
    RETURN newest;
END
$$;

-- One person acts for one level of a case: who applies for somebody does not approve it.
CREATE FUNCTION subsidy.check_level(of_case text, of_level text, account text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM subsidy.case_step
        WHERE case_number = of_case AND level_code <> of_level
            AND lower(btrim(recorded_by)) = lower(btrim(account))
    ) THEN
        PERFORM subsidy.refuse_step(
            'case_same_person', '此人已为本案另一级经办 · a person who acted in this case for another level',
            '各级由不同的人经办 · another person at each level',
            '由本级其他人员办理 · let another person of this level do it');
    END IF;
END
$$;

CREATE FUNCTION subsidy.check_meeting(step subsidy.case_step) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_meeting;
BEGIN
    SELECT * INTO newest FROM subsidy.case_meeting
    WHERE case_number = step.case_number AND step_number = step.previous_number
    ORDER BY meeting_number DESC LIMIT 1;
    IF newest.outcome_code IS DISTINCT FROM 'agreed' OR newest.held_on > step.happened_on THEN
        PERFORM subsidy.refuse_step(
            'case_meeting_missing',
            CASE WHEN newest.outcome_code IS NULL THEN '此次申请未评议 · no meeting about this application'
                WHEN newest.outcome_code = 'disagreed' THEN '评议未通过 · a meeting that disagreed'
                ELSE format('评议日 %s 晚于步骤 · a meeting on %s, after the step', newest.held_on, newest.held_on) END,
            '步骤当日及以前评议通过 · a meeting of the village that agreed, up to the day of the step',
            '登记评议，或不予确认 · record the meeting, or refuse the application');
    END IF;
END
$$;

CREATE FUNCTION subsidy.check_publicity(step subsidy.case_step) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    public_on date;
    days integer;
BEGIN
    SELECT happened_on INTO public_on FROM subsidy.case_step
    WHERE case_number = step.case_number AND step_code = 'publicise' ORDER BY step_number DESC LIMIT 1;
    days := subsidy.life_limit_on('publicity_days', public_on);
    IF public_on IS NULL OR step.happened_on < public_on + days THEN
        PERFORM subsidy.refuse_step(
            'case_publicity_running', format('%s 起公示，步骤在 %s · public since %s, a step on %s',
                public_on, step.happened_on, public_on, step.happened_on),
            format('公示满 %s 日 · %s days of publicity before it', days, days),
            format('%s 起办理 · take the step from %s on', public_on + days, public_on + days));
    END IF;
END
$$;

CREATE FUNCTION subsidy.check_objections(step subsidy.case_step) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    public_number integer;
    open_count bigint;
    upheld_count bigint;
BEGIN
    SELECT max(step_number) INTO public_number FROM subsidy.case_step
    WHERE case_number = step.case_number AND step_code = 'publicise';
    SELECT count(*) FILTER (WHERE answer.outcome_code IS NULL),
        count(*) FILTER (WHERE answer.outcome_code = 'upheld' AND objection.step_number >= public_number)
    INTO open_count, upheld_count
    FROM subsidy.case_objection AS objection
    LEFT JOIN subsidy.case_objection_answer AS answer USING (case_number, objection_number)
    WHERE objection.case_number = step.case_number;
    IF open_count > 0 THEN
        PERFORM subsidy.refuse_step(
            'case_objection_open', format('%s 件异议未答复 · %s objection(s) without an answer', open_count, open_count),
            '异议全部答复 · every objection answered', '核实后答复 · look into it, then answer it');
    ELSIF upheld_count > 0 THEN
        PERFORM subsidy.refuse_step(
            'case_objection_upheld', format('%s 件异议成立 · %s objection(s) that were upheld', upheld_count, upheld_count),
            '公示以来无成立的异议 · no objection upheld since it was made public',
            '退回村居，或不予确认 · send the case back to the village, or refuse it');
    END IF;
END
$$;

-- The sample of a list: whoever comes first by digest of list and case, so that nobody chooses.
CREATE FUNCTION subsidy.case_sample(of_filing text) RETURNS TABLE (case_number text) LANGUAGE sql STABLE AS $$
    SELECT listed.case_number
    FROM subsidy.case_filing_case AS listed
    WHERE listed.filing_id = of_filing
    ORDER BY sha256(convert_to(of_filing || '/' || listed.case_number, 'UTF8'))
    LIMIT (
        SELECT ceil(filing.sample_percent * count(*) / 100.0)::bigint
        FROM subsidy.case_filing AS filing
        INNER JOIN subsidy.case_filing_case USING (filing_id)
        WHERE filing.filing_id = of_filing
        GROUP BY filing.sample_percent
    )
$$;

CREATE FUNCTION subsidy.check_sample(step subsidy.case_step) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint;
    failed bigint;
BEGIN
    SELECT count(*) INTO failed FROM subsidy.case_filing_check
    WHERE filing_id = step.filing_id AND NOT (is_procedure_complete AND is_logic_correct);
    SELECT count(*) INTO waiting FROM subsidy.case_sample(step.filing_id) AS sampled
    WHERE NOT EXISTS (
        SELECT FROM subsidy.case_filing_check AS checked
        WHERE checked.filing_id = step.filing_id AND checked.case_number = sampled.case_number);
    IF failed > 0 THEN
        PERFORM subsidy.refuse_step(
            'case_sample_failed', format('名册 %s 有 %s 件抽查有误 · %s checked case(s) of list %s not in order',
                step.filing_id, failed, failed, step.filing_id),
            '抽查个案均无误的名册 · a list whose checked cases are in order',
            '退回有误个案，其余另编名册 · send those cases back to the village, and draw up another list of the others');
    ELSIF waiting > 0 THEN
        PERFORM subsidy.refuse_step(
            'case_sample_unchecked',
            format('名册 %s 样本中 %s 件未抽查 · %s case(s) of the sample of list %s not checked',
                step.filing_id, waiting, waiting, step.filing_id),
            '样本全部抽查 · the whole sample checked', '抽查后备案 · check them, then file the list');
    END IF;
END
$$;

CREATE FUNCTION subsidy.check_baseline(step subsidy.case_step) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM subsidy."case" AS known
        INNER JOIN subsidy.case_life AS life ON life.case_number = known.case_number
        WHERE known.case_number = step.case_number AND known.recorded_to IS NULL
            AND known.source_code = 'baseline' AND known.entry_code = 'imported'
            AND known.programme_code = step.programme_code AND known.category_code = step.category_code
            AND known.person_id = life.person_id AND known.division_code = step.division_code
            AND known.exit_reason_code IS NOT DISTINCT FROM step.exit_reason_code
            AND known.state_code
                = CASE step.to_state_code WHEN 'in_payment' THEN '1' WHEN 'suspended' THEN '2' ELSE '3' END
    ) THEN
        PERFORM subsidy.refuse_step(
            'case_not_in_baseline', '基线中无此人相同的个案 · no imported case that says the same of this person',
            '基线中状态、类别、村居相同且不存疑的个案 · a case of the baseline, without a question, in this state, '
            'category and village',
            '先答复导入存疑，或由本人申报 · answer the questions of the import first, or let the person apply');
    END IF;
END
$$;

CREATE FUNCTION subsidy.guard_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('subsidy.case_life/' || NEW.person_id, 0));
    IF EXISTS (
        SELECT FROM subsidy.case_life AS other
        WHERE other.person_id = NEW.person_id AND other.programme_code = NEW.programme_code
            AND NOT EXISTS (
                SELECT FROM subsidy.case_step AS step
                WHERE step.case_number = other.case_number
                    AND step.to_state_code NOT IN (SELECT from_state_code FROM subsidy.life_step))
    ) THEN
        PERFORM subsidy.refuse_step(
            'case_open_already', '此人此项目已有未结个案 · a case of this person and programme that has not ended',
            '同一时间一件 · one case at a time', '办理原个案 · go on with that case');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_case_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step := subsidy.hold_case(NEW.case_number);
    need text;
BEGIN
    IF NEW.happened_on < newest.happened_on THEN
        PERFORM subsidy.refuse_step(
            'case_step_before', format('步骤在 %s，早于上一步 %s · a step on %s after one on %s',
                NEW.happened_on, newest.happened_on, NEW.happened_on, newest.happened_on),
            '按日期先后 · steps in the order of their days', '更正日期 · correct the day');
    END IF;
    IF newest.exit_reason_code IS NOT NULL AND NEW.exit_reason_code IS NOT NULL
        AND NEW.exit_reason_code <> newest.exit_reason_code THEN
        PERFORM subsidy.refuse_step(
            'case_exit_reason_changed', '与拟退出的原因不同 · another reason than the one the exit was proposed for',
            '村居提出的原因 · the reason that the village gave',
            '撤销退出后重新提出 · drop the exit, and propose it anew');
    END IF;
    PERFORM subsidy.check_level(NEW.case_number, NEW.level_code, NEW.recorded_by);
    FOR need IN
        SELECT unnest(needs) FROM subsidy.life_step
        WHERE step_code = NEW.step_code AND from_state_code = NEW.from_state_code
    LOOP
        CASE need
            WHEN 'baseline' THEN PERFORM subsidy.check_baseline(NEW);
            WHEN 'meeting' THEN PERFORM subsidy.check_meeting(NEW);
            WHEN 'publicity' THEN PERFORM subsidy.check_publicity(NEW);
            WHEN 'objections' THEN PERFORM subsidy.check_objections(NEW);
            WHEN 'sample' THEN PERFORM subsidy.check_sample(NEW);
        END CASE;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_case_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step := subsidy.hold_case(NEW.case_number);
    members integer := subsidy.different_accounts(NEW.members);
    investigators integer := subsidy.different_accounts(NEW.investigators);
    least_members integer := subsidy.life_limit_on('meeting_members', NEW.held_on);
    least_investigators integer := subsidy.life_limit_on('investigators', NEW.held_on);
BEGIN
    IF newest.step_number IS DISTINCT FROM NEW.step_number OR NEW.held_on < newest.happened_on THEN
        PERFORM subsidy.refuse_step(
            'case_not_before_meeting', '评议所依据的步骤已过或未到 · a meeting about a step that is over or was not yet',
            '最近一次申请之后的评议 · a meeting since the newest application',
            '更正日期或步骤 · correct the day or the step');
    END IF;
    IF members < least_members OR investigators < least_investigators THEN
        PERFORM subsidy.refuse_step(
            'case_meeting_small',
            format('评议人 %s 名、核实人 %s 名 · %s different members and %s different investigators',
                members, investigators, members, investigators),
            format('至少 %s 名和 %s 名 · at least %s members and %s investigators',
                least_members, least_investigators, least_members, least_investigators),
            '由足够人员评议 · hold the meeting with enough persons, or name all who were there');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_case_objection() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step := subsidy.hold_case(NEW.case_number);
BEGIN
    IF newest.step_number IS DISTINCT FROM NEW.step_number OR NEW.raised_on < newest.happened_on THEN
        PERFORM subsidy.refuse_step(
            'case_not_public', '异议所指步骤已过或未到 · an objection to a step that is over or was not yet',
            '公示中且未备案时的异议 · an objection since the newest step, while the case is public and not filed',
            '更正日期；享受中的可拟退出或暂停 · correct the day; of a case in payment, propose its exit or suspend it');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_case_objection_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM subsidy.hold_case(NEW.case_number);
    IF NEW.answered_on < (
        SELECT raised_on FROM subsidy.case_objection
        WHERE case_number = NEW.case_number AND objection_number = NEW.objection_number
    ) THEN
        PERFORM subsidy.refuse_step(
            'case_answer_before', '答复早于异议 · an answer before its objection',
            '异议之后的答复 · an answer after it', '更正日期 · correct the day');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_case_filing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    least integer := subsidy.life_limit_on('sample_percent', NEW.drawn_on);
    next_number integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('subsidy.case_filing', 0));
    SELECT coalesce(max(filing_number), 0) + 1 INTO next_number FROM subsidy.case_filing
    WHERE cycle_year = NEW.cycle_year AND programme_code = NEW.programme_code;
    IF NEW.sample_percent < least THEN
        PERFORM subsidy.refuse_step(
            'case_sample_small', format('抽查 %s%% · a sample of %s%%', NEW.sample_percent, NEW.sample_percent),
            format('至少 %s%% · at least %s%%', least, least),
            '以更大比例编制 · draw the list up with a larger sample');
    ELSIF NEW.filing_number <> next_number THEN
        -- The name decides who is in the sample: it may not be chosen.
        PERFORM subsidy.refuse_step(
            'case_filing_number', format('名册 %s · list %s', NEW.filing_number, NEW.filing_number),
            format('名册 %s · list %s', next_number, next_number),
            '按年度顺序编号 · number the lists of a year one after the other');
    END IF;
    RETURN NEW;
END
$$;

-- A list is drawn up in one transaction and never grows: its sample would change.
CREATE FUNCTION subsidy.guard_case_filing_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest subsidy.case_step := subsidy.hold_case(NEW.case_number);
BEGIN
    IF NOT EXISTS (
        SELECT FROM subsidy.case_filing
        WHERE filing_id = NEW.filing_id AND programme_code = newest.programme_code
            AND drawn_on >= newest.happened_on AND xmin::text = pg_current_xact_id()::xid::text
    ) THEN
        PERFORM subsidy.refuse_step(
            'case_filing_closed', '名册已编定，或项目、日期不符 · a case added to a list of another transaction, programme or an earlier day',
            '随名册一并登记的个案 · the cases of a list written together with it',
            '另编名册 · draw up another list');
    END IF;
    IF newest.step_number IS DISTINCT FROM NEW.approved_number THEN
        PERFORM subsidy.refuse_step(
            'case_not_approved', '最新步骤不是审批 · a case whose approval is not its newest step',
            '区已审批的个案 · approved cases', '不列入名册 · leave it out of the list');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION subsidy.guard_case_filing_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM subsidy.hold_case(NEW.case_number);
    PERFORM subsidy.check_level(NEW.case_number, '1', NEW.recorded_by);
    RETURN NEW;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'case_step', 'case_meeting', 'case_objection', 'case_objection_answer', 'case_filing',
        'case_filing_case', 'case_filing_check']
    LOOP
        EXECUTE format(
            'CREATE TRIGGER guard BEFORE INSERT ON subsidy.%1$I FOR EACH ROW EXECUTE FUNCTION subsidy.guard_%1$s()',
            name);
        EXECUTE format(
            'CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON subsidy.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION subsidy.keep_case_record()', name);
    END LOOP;
    CREATE TRIGGER guard BEFORE INSERT ON subsidy.case_life
    FOR EACH ROW EXECUTE FUNCTION subsidy.guard_case();
    CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON subsidy.case_life
    FOR EACH STATEMENT EXECUTE FUNCTION subsidy.keep_case_record();
    -- The rules themselves: a migration that changes them drops these first.
    CREATE TRIGGER keep BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON subsidy.life_step
    FOR EACH STATEMENT EXECUTE FUNCTION subsidy.keep_case_record();
    CREATE TRIGGER keep BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON subsidy.life_limit
    FOR EACH STATEMENT EXECUTE FUNCTION subsidy.keep_case_record();
END
$$;
