-- What constraints cannot tell of the second person: which batches need one, and that none goes without.
-- Every refusal is written as schemas.refusal.Refusal writes it.

-- A parameter named `found` would be PL/pgSQL's own flag of that name.
CREATE FUNCTION exchange.refuse_act(code text, was_found text, expected text, to_do text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '[%] found: %; expected: %; to do: %', code, was_found, expected, to_do
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

-- A countersignature is about one release: who releases again, or another one, asks for it again.
CREATE FUNCTION exchange.is_countersigned(released exchange.batch, ground text)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM exchange.countersign AS signed
        WHERE signed.batch_id = released.batch_id AND signed.ground_code = ground
            AND signed.approved_by = released.approved_by
            AND signed.approved_at IS NOT DISTINCT FROM released.approved_at)
$$;

CREATE FUNCTION exchange.check_countersigned(released exchange.batch, ground text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT exchange.is_countersigned(released, ground) THEN
        PERFORM exchange.refuse_act(
            'countersign_missing',
            format('%s 未经第二人放行(%s) · %s, which no second person has let pass (%s)',
                released.batch_id, ground, released.batch_id, ground),
            '批准人以外的人放行 · the word of another person than who released it',
            '由第二人办理 · let a second person do it: padis countersign');
    END IF;
END
$$;

-- Whether a batch is a backfill is found here, when it is released, and told by nobody.
CREATE FUNCTION exchange.guard_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := CASE WHEN TG_OP = 'INSERT' THEN 'built' ELSE OLD.state END;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.business_date <> OLD.business_date THEN
        PERFORM exchange.refuse_act(
            'batch_redated', format('%s 改业务日 · another business date for %s', OLD.batch_id, OLD.batch_id),
            '生成时的业务日 · the business date that built it', '另行生成批次 · build another batch');
    END IF;
    IF NEW.state IN ('built', 'withheld') THEN
        NEW.is_backfill := FALSE;
    ELSIF was IN ('built', 'withheld') THEN
        NEW.is_backfill := EXISTS (SELECT FROM subsidy.decision_run WHERE business_date > NEW.business_date);
    ELSE
        NEW.is_backfill := OLD.is_backfill;
    END IF;
    IF NEW.is_backfill AND was IN ('built', 'withheld', 'approved') AND NEW.state <> 'approved' THEN
        PERFORM exchange.check_countersigned(NEW, 'backfill');
    END IF;
    RETURN NEW;
END
$$;

-- The hours of a receiver stand in its profile: whoever begins outside them says so, and needs the word.
CREATE FUNCTION exchange.guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    released exchange.batch;
BEGIN
    SELECT * INTO released FROM exchange.batch WHERE batch_id = NEW.batch_id;
    IF released.is_backfill THEN
        PERFORM exchange.check_countersigned(released, 'backfill');
    END IF;
    IF NEW.is_outside_window THEN
        PERFORM exchange.check_countersigned(released, 'outside_window');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION exchange.guard_countersign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    released exchange.batch;
    next_number integer;
BEGIN
    SELECT * INTO released FROM exchange.batch WHERE batch_id = NEW.batch_id FOR UPDATE;
    IF released.state IS DISTINCT FROM 'approved' OR released.approved_by IS DISTINCT FROM NEW.approved_by
        OR released.approved_at IS DISTINCT FROM NEW.approved_at THEN
        PERFORM exchange.refuse_act(
            'countersign_unreleased', format('批次状态为 %s · a batch that is %s, or another release than was looked at',
                coalesce(released.state, '—'), coalesce(released.state, '—')),
            '已批准且未发送的批次 · a batch as it was released, and not on its way',
            '先批准，再由第二人放行 · release it first, then let a second person look');
    ELSIF NEW.ground_code = 'backfill' AND NOT released.is_backfill THEN
        PERFORM exchange.refuse_act(
            'countersign_needless', '批次不是补报 · a batch that was released before any later date was decided',
            '补报的批次 · a backfill', '无须放行；窗口外发送另注明 · it goes by itself; to send it while the receiver '
            'is closed say so: --outside-window');
    ELSIF exchange.is_countersigned(released, NEW.ground_code) THEN
        PERFORM exchange.refuse_act(
            'countersign_given', '已有第二人放行 · a batch that a second person has let pass',
            '每次批准放行一次 · one word for each release', '无须再办 · leave it');
    ELSIF EXISTS (
        SELECT FROM exchange.record AS report
        INNER JOIN exchange.record AS refused USING (receiver, subsystem_code, person_id, period)
        INNER JOIN exchange.resubmission AS asked ON asked.record_id = refused.record_id
        WHERE report.batch_id = NEW.batch_id AND report.first_record_id IS NOT NULL
            AND refused.ordinal < report.ordinal
            AND lower(btrim(asked.asked_by)) = lower(btrim(NEW.recorded_by))
    ) THEN
        PERFORM exchange.refuse_act(
            'countersign_by_asker', '此人要求过其中的重报 · a person who asked for reports in this batch',
            '既未批准也未要求重报的人 · who neither released it nor asked for what is in it',
            '由另一人放行 · let another person do it');
    END IF;
    SELECT coalesce(max(countersign_number), 0) + 1 INTO next_number
    FROM exchange.countersign WHERE batch_id = NEW.batch_id;
    IF NEW.countersign_number <> next_number THEN
        PERFORM exchange.refuse_act(
            'countersign_number', format('第 %s 次放行 · word %s', NEW.countersign_number, NEW.countersign_number),
            format('第 %s 次 · word %s', next_number, next_number), '重新查看 · look again');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION exchange.keep_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM exchange.refuse_act(
        'exchange_record_kept', format('改写记录 · %s of %I.%I', lower(TG_OP), TG_TABLE_SCHEMA, TG_TABLE_NAME),
        '记录不改写 · a record that is never rewritten', '以后一记录更正 · add what puts it right');
    RETURN NULL;
END
$$;

CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON exchange.batch
FOR EACH ROW EXECUTE FUNCTION exchange.guard_batch();
CREATE TRIGGER guard BEFORE INSERT ON exchange.attempt
FOR EACH ROW EXECUTE FUNCTION exchange.guard_attempt();
CREATE TRIGGER guard BEFORE INSERT ON exchange.countersign
FOR EACH ROW EXECUTE FUNCTION exchange.guard_countersign();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange.countersign
FOR EACH STATEMENT EXECUTE FUNCTION exchange.keep_act();
