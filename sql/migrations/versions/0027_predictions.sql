-- A prediction is made before anything of its batch is tried, at once, and stands: who knows the answer adds nothing.

CREATE FUNCTION exchange.guard_prediction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM exchange.attempt WHERE batch_id = NEW.batch_id) OR NOT EXISTS (
        SELECT FROM exchange.batch WHERE batch_id = NEW.batch_id AND state = 'approved'
    ) THEN
        PERFORM exchange.refuse_act(
            'prediction_late', '批次未批准或已开始发送 · a batch that is not released, or was tried already',
            '批准时的预计 · a prediction that is made with the release', '无须再办 · leave it: it would know too much');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION exchange.guard_predicted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM exchange.prediction
        WHERE batch_id = NEW.batch_id AND xmin::text = pg_current_xact_id()::xid::text
    ) THEN
        PERFORM exchange.refuse_act(
            'prediction_closed', '预计已定 · something added to a prediction of another transaction',
            '随预计一并登记 · what is written together with it', '无须再办 · leave it');
    END IF;
    IF TG_TABLE_NAME = 'predicted_record' THEN
        IF NOT EXISTS (SELECT FROM exchange.record WHERE record_id = NEW.record_id AND batch_id = NEW.batch_id) THEN
            PERFORM exchange.refuse_act(
                'prediction_of_other_batch', '记录不在此批次 · a record of another batch',
                '批次中的记录 · a record of the batch', '更正批次号 · name its batch');
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER guard BEFORE INSERT ON exchange.prediction
FOR EACH ROW EXECUTE FUNCTION exchange.guard_prediction();
CREATE TRIGGER guard BEFORE INSERT ON exchange.predicted_code
FOR EACH ROW EXECUTE FUNCTION exchange.guard_predicted();
CREATE TRIGGER guard BEFORE INSERT ON exchange.predicted_record
FOR EACH ROW EXECUTE FUNCTION exchange.guard_predicted();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange.prediction
FOR EACH STATEMENT EXECUTE FUNCTION exchange.keep_act();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange.predicted_code
FOR EACH STATEMENT EXECUTE FUNCTION exchange.keep_act();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange.predicted_record
FOR EACH STATEMENT EXECUTE FUNCTION exchange.keep_act();
