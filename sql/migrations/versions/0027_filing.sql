-- What a filing goes through: open, frozen, signed. Who froze it does not sign, and what is signed is counted here.

CREATE FUNCTION exchange.filing_state(of_receiver text, of_subsystem text, of_period text)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT CASE step_code WHEN 'amend' THEN 'open' WHEN 'sign' THEN 'signed' ELSE 'frozen' END
        FROM exchange.filing_step
        WHERE receiver = of_receiver AND subsystem_code = of_subsystem AND period = of_period
        ORDER BY step_number DESC LIMIT 1
    ), 'open')
$$;

-- Whoever builds or releases waits for whoever freezes or signs. In a snapshot that is kept through the
-- transaction, what the other one wrote would stay unseen.
CREATE FUNCTION exchange.hold_filing(of_receiver text, of_subsystem text, of_period text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        PERFORM exchange.refuse_act(
            'filing_snapshot', '隔离级别为 REPEATABLE READ · a transaction of isolation REPEATABLE READ',
            'READ COMMITTED 或 SERIALIZABLE · READ COMMITTED or SERIALIZABLE',
            '用单独事务登记 · write about filings in a transaction of its own');
    END IF;
    PERFORM pg_advisory_xact_lock(
        hashtextextended(format('exchange.filing/%s/%s/%s', of_receiver, of_subsystem, of_period), 0));
END
$$;

-- What the receiver has: of each person the last accepted report, unless it withdrew the case.
CREATE FUNCTION exchange.accepted_state(of_receiver text, of_subsystem text, of_period text)
RETURNS TABLE (accepted_count bigint, accepted_sha256 text) LANGUAGE sql STABLE AS $$
    WITH held AS (
        SELECT DISTINCT ON (person_id) record_id, operation_code, content_sha256
        FROM exchange.record
        WHERE receiver = of_receiver AND subsystem_code = of_subsystem AND period = of_period
            AND receiver_state_code = '30'
        ORDER BY person_id, ordinal DESC
    )
    SELECT count(*), encode(sha256(convert_to(coalesce(string_agg(
        record_id || ' ' || content_sha256, E'\n' ORDER BY record_id COLLATE "C"), ''), 'UTF8')), 'hex')
    FROM held WHERE operation_code <> 'C'
$$;

CREATE FUNCTION exchange.guard_filed_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    IF TG_OP = 'UPDATE' AND NOT (OLD.state IN ('built', 'withheld') AND NEW.state NOT IN ('built', 'withheld')) THEN
        RETURN NEW;
    END IF;
    PERFORM exchange.hold_filing(NEW.receiver, NEW.subsystem_code, NEW.period);
    state := exchange.filing_state(NEW.receiver, NEW.subsystem_code, NEW.period);
    IF state = 'signed' OR (state = 'frozen' AND TG_OP = 'INSERT') THEN
        PERFORM exchange.refuse_act(
            'filing_closed', format('%s %s 年报送为 %s · the filing of %s for %s is %s',
                NEW.subsystem_code, NEW.period, state, NEW.subsystem_code, NEW.period, state),
            '未冻结的报送；冻结后仅可批准已生成批次 · an open filing; a frozen one takes releases of what is built',
            '确需更改，先重新开放 · amend it first: padis filing amend');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION exchange.guard_filing_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
    next_number integer;
    waiting bigint;
    unanswered bigint;
BEGIN
    PERFORM exchange.hold_filing(NEW.receiver, NEW.subsystem_code, NEW.period);
    state := exchange.filing_state(NEW.receiver, NEW.subsystem_code, NEW.period);
    SELECT coalesce(max(step_number), 0) + 1 INTO next_number FROM exchange.filing_step
    WHERE receiver = NEW.receiver AND subsystem_code = NEW.subsystem_code AND period = NEW.period;
    IF NEW.step_number <> next_number THEN
        PERFORM exchange.refuse_act(
            'filing_step_number', format('第 %s 步 · step %s', NEW.step_number, NEW.step_number),
            format('第 %s 步 · step %s', next_number, next_number), '重新查看 · look again');
    ELSIF NOT (CASE NEW.step_code
        WHEN 'freeze' THEN state = 'open'
        WHEN 'revert' THEN state IN ('open', 'frozen')
        WHEN 'sign' THEN state = 'frozen'
        WHEN 'amend' THEN state IN ('frozen', 'signed')
        ELSE FALSE
    END) THEN
        PERFORM exchange.refuse_act(
            'filing_out_of_order', format('报送为 %s 时的 %s · %s of a filing that is %s', state, NEW.step_code,
                NEW.step_code, state),
            '开放→冻结→签批；改前重新开放 · open, frozen, signed; amended before anything changes',
            '查看状态 · look at it: padis filing status');
    END IF;
    SELECT count(*) INTO waiting FROM exchange.batch
    WHERE receiver = NEW.receiver AND subsystem_code = NEW.subsystem_code AND period = NEW.period
        AND batch.state IN ('built', 'approved', 'sending', 'uncertain');
    IF NEW.step_code = 'revert' AND waiting > 0 THEN
        PERFORM exchange.refuse_act(
            'filing_on_the_way', format('%s 个批次在途或未撤下 · %s batch(es) on the way, or not withheld',
                waiting, waiting),
            '没有在途批次 · no batch that may have left, and none that waits',
            '等待在途批次的结论 · wait until it is known what became of them: padis receipts');
    ELSIF NEW.step_code = 'sign' THEN
        IF waiting > 0 THEN
            PERFORM exchange.refuse_act(
                'filing_unsettled', format('%s 个批次未结 · %s batch(es) that wait or are on the way', waiting, waiting),
                '批次均已发送或不予上报 · every batch sent or withheld',
                '发送、不予上报，或恢复到已接收状态 · send or withhold them, or revert to what was accepted');
        END IF;
        SELECT count(*) INTO unanswered
        FROM exchange.record AS report INNER JOIN exchange.batch AS batch ON batch.batch_id = report.batch_id
        WHERE batch.receiver = NEW.receiver AND batch.subsystem_code = NEW.subsystem_code
            AND batch.period = NEW.period AND batch.state = 'sent'
            AND report.receiver_state_code NOT IN ('30', '31')
            AND coalesce(batch.receiver_state_code, '') NOT IN ('21', '31', '41')
            AND NOT EXISTS (
                SELECT FROM exchange.answer AS answer
                WHERE answer.batch_id = batch.batch_id AND answer.outcome_code = 'failed');
        IF unanswered > 0 THEN
            PERFORM exchange.refuse_act(
                'filing_unanswered', format('%s 条记录未答复 · %s record(s) without an answer', unanswered, unanswered),
                '全部答复 · every record answered', '等待或催办回执 · wait for the receipts, or chase them');
        ELSIF EXISTS (
            SELECT FROM exchange.filing_step AS made
            WHERE made.receiver = NEW.receiver AND made.subsystem_code = NEW.subsystem_code
                AND made.period = NEW.period AND made.step_code IN ('freeze', 'revert')
                AND lower(btrim(made.recorded_by)) = lower(btrim(NEW.recorded_by))
                AND made.step_number > coalesce((
                    SELECT max(step_number) FROM exchange.filing_step
                    WHERE receiver = NEW.receiver AND subsystem_code = NEW.subsystem_code
                        AND period = NEW.period AND step_code = 'amend'), 0)
        ) THEN
            PERFORM exchange.refuse_act(
                'filing_same_person', '冻结人本人签批 · the person who froze it', '冻结人以外的人 · another person',
                '由第二人签批 · let a second person sign');
        END IF;
    END IF;
    -- What is signed is counted here and told by nobody.
    NEW.accepted_count := NULL;
    NEW.accepted_sha256 := NULL;
    IF NEW.step_code = 'sign' THEN
        SELECT held.accepted_count, held.accepted_sha256 INTO NEW.accepted_count, NEW.accepted_sha256
        FROM exchange.accepted_state(NEW.receiver, NEW.subsystem_code, NEW.period) AS held;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER guard_filing BEFORE INSERT OR UPDATE ON exchange.batch
FOR EACH ROW EXECUTE FUNCTION exchange.guard_filed_batch();
CREATE TRIGGER guard BEFORE INSERT ON exchange.filing_step
FOR EACH ROW EXECUTE FUNCTION exchange.guard_filing_step();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange.filing_step
FOR EACH STATEMENT EXECUTE FUNCTION exchange.keep_act();
