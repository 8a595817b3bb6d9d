"""Tables of zone `exchange`: what is sent to receivers, and what they answer."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    sql,
)

from schemas.registry.declare import METADATA, history, key_text, number, who_and_when, why

BATCH = Table(
    "batch",
    METADATA,
    key_text("batch_id", "批次号 · subsystem_division_period_operation_sequence"),
    Column("receiver", Text, nullable=False, comment="接收方 · receiver profile"),
    Column("subsystem_code", Text, nullable=False, comment="子系统 · J or T"),
    Column("period", Text, nullable=False, comment="年度 · reporting year"),
    Column("operation_code", Text, nullable=False, comment="操作 · A add, B change, C withdraw"),
    Column("sequence", Integer, nullable=False, comment="序号 · from 1 within the period and operation"),
    Column("business_date", Date, nullable=False, comment="业务日 · night that built it"),
    Column("file_name", Text, nullable=False, unique=True, comment="文件名 · name at the receiver"),
    Column("record_count", Integer, nullable=False, comment="记录数 · records in the file"),
    Column("byte_count", BigInteger, nullable=False, comment="字节数 · bytes of the file"),
    Column("sha256", Text, nullable=False, comment="摘要 · SHA-256 of the file"),
    Column("sm3", Text, comment="国密摘要 · SM3 of the file, where the receiver wants it"),
    Column("signature", LargeBinary, comment="签名 · SM2 signature of the file, where it wants one"),
    Column("content", LargeBinary, nullable=False, comment="加密内容 · the file's bytes, AES-GCM"),
    Column(
        "inputs",
        ARRAY(Text),
        nullable=False,
        comment="输入 · name@version of the decisions, then of what they were made from",
    ),
    Column("policy_version", Text, nullable=False, comment="政策版本 · digest of the policy files"),
    Column(
        "state", Text, nullable=False, comment="状态 · built, approved, withheld, sending, uncertain, sent"
    ),
    Column("receiver_state_code", Text, comment="接收方状态 · 10 20 21 22 30 31 32 40 41 42"),
    Column("approved_by", Text, comment="批准人 · user who approved or withheld"),
    Column("approved_at", DateTime(timezone=True), comment="批准时间 · instant of approval"),
    Column(
        "is_backfill",
        Boolean,
        nullable=False,
        server_default=sql.false(),
        comment="补报 · released when a later date had been decided; the database says so",
    ),
    Column(
        "sent_at", DateTime(timezone=True), comment="发送时间 · instant the name appeared at the receiver"
    ),
    UniqueConstraint("receiver", "subsystem_code", "period", "operation_code", "sequence"),
    CheckConstraint(
        "state IN ('built', 'approved', 'withheld', 'sending', 'uncertain', 'sent')", name="state"
    ),
    schema="exchange",
    comment="上报批次(发件箱) · one row per file; its bytes are built once",
)

RECORD = Table(
    "record",
    METADATA,
    key_text("record_id", "记录号 · case number on the wire"),
    Column("receiver", Text, nullable=False, comment="接收方 · receiver profile"),
    Column("subsystem_code", Text, nullable=False, comment="子系统 · J or T"),
    Column("person_id", Text, nullable=False, comment="对象 · person file number"),
    Column("period", Text, nullable=False, comment="年度 · reporting year"),
    Column("operation_code", Text, nullable=False, comment="操作 · A add, B change, C withdraw"),
    Column("sequence", Integer, nullable=False, comment="序号 · nth report of the person for the operation"),
    Column(
        "ordinal", Integer, nullable=False, comment="第几报 · nth report of the person in the period, of all"
    ),
    Column("start_month", Date, nullable=False, comment="起始年月 · first day of the month reported"),
    Column(
        "fact_sha256",
        Text,
        comment="事实摘要 · SHA-256 of the line without case number and start month; NULL before it was kept",
    ),
    Column("held_record_id", Text, comment="所持记录 · accepted record that this changes or withdraws"),
    Column("first_record_id", Text, comment="首报 · first try of which this is a resubmission"),
    Column("batch_id", Text, nullable=False, comment="批次号 · batch that carries it"),
    Column("member_name", Text, nullable=False, comment="成员文件 · text file inside the ZIP"),
    Column(
        "line_number",
        Integer,
        nullable=False,
        comment="行号 · line in the member, from 1; data begin on line 3",
    ),
    Column("content_sha256", Text, nullable=False, comment="内容摘要 · SHA-256 of the line"),
    Column("receiver_state_code", Text, nullable=False, comment="接收方记录状态 · 10 20 30 31"),
    Column("rejection_code", Text, comment="退回代码 · why the receiver refused"),
    UniqueConstraint("receiver", "subsystem_code", "person_id", "period", "operation_code", "sequence"),
    UniqueConstraint("person_id", "receiver", "subsystem_code", "period", "ordinal"),
    UniqueConstraint("batch_id", "member_name", "line_number"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="上报记录 · one row per record of a batch",
    # Every record is answered: with room for the answer on its page no index is touched.
    postgresql_with={"fillfactor": 45},
)

RESUBMISSION = Table(
    "resubmission",
    METADATA,
    key_text("record_id", "记录号 · refused record that is to be reported again as it is"),
    Column(
        "business_date",
        Date,
        nullable=False,
        comment="业务日 · first business date on which the word counts",
    ),
    Column("asked_by", Text, nullable=False, comment="要求人 · who asked"),
    Column("asked_at", DateTime(timezone=True), nullable=False, comment="要求时间 · instant"),
    ForeignKeyConstraint(["record_id"], ["exchange.record.record_id"]),
    schema="exchange",
    comment="重报要求 · one row per refused record that a person wants reported again without a change",
)

ATTEMPT = Table(
    "attempt",
    METADATA,
    key_text("batch_id", "批次号 · batch"),
    Column("attempt", Integer, primary_key=True, autoincrement=False, comment="第几次 · from 1"),
    Column("lease_epoch", BigInteger, nullable=False, comment="租约序号 · holder of the sender's lock"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="开始 · instant"),
    Column(
        "outcome", Text, nullable=False, comment="结果 · started, sent, already_there, failed or uncertain"
    ),
    Column("message", Text, comment="说明 · error code and advice; no personal value"),
    Column(
        "is_outside_window",
        Boolean,
        nullable=False,
        server_default=sql.false(),
        comment="窗口外 · begun while the receiver takes no files, by a countersignature",
    ),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="发送尝试 · one row per attempt to send a batch",
)

COUNTERSIGN = Table(
    "countersign",
    METADATA,
    key_text("batch_id", "批次号 · batch that goes by two persons"),
    number("countersign_number", "次 · countersignature of the batch, from 1"),
    Column("ground_code", Text, nullable=False, comment="事由 · backfill or outside_window"),
    Column("approved_by", Text, nullable=False, comment="批准人 · whose release it is about"),
    Column("approved_at", DateTime(timezone=True), comment="批准时间 · instant of that release"),
    *why("理由 · why it goes all the same"),
    *who_and_when(),
    CheckConstraint("ground_code IN ('backfill', 'outside_window')", name="ground_code"),
    CheckConstraint("lower(btrim(recorded_by)) <> lower(btrim(approved_by))", name="two_persons"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="复核放行 · one row per word of a second person about a released batch; never rewritten",
)

PREDICTION = Table(
    "prediction",
    METADATA,
    key_text("batch_id", "批次号 · batch whose refusals were predicted when it was first released"),
    Column("predicted_at", DateTime(timezone=True), nullable=False, comment="预计时间 · instant"),
    Column("rules_from", Date, nullable=False, comment="规则起始日 · valid_from of the rules that predicted"),
    Column("record_count", BigInteger, nullable=False, comment="记录数 · records of the batch"),
    Column("answered", BigInteger, nullable=False, comment="历史答复数 · past answers that it could rest on"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="退回预计 · one row per batch, made before anything is sent; never rewritten",
)

PREDICTED_CODE = Table(
    "predicted_code",
    METADATA,
    key_text("batch_id", "批次号 · batch"),
    key_text("rejection_code", "退回代码 · what records will be refused with"),
    key_text("rule_id", "规则 · rule of schemas/padis/predictions, or same_again"),
    key_text("group_text", "分组 · values of the rule's features; empty of same_again"),
    Column(
        "refused", BigInteger, nullable=False, comment="历史退回数 · past records of the group, so refused"
    ),
    Column(
        "answered", BigInteger, nullable=False, comment="历史答复数 · past records of the group, answered"
    ),
    Column("record_count", BigInteger, nullable=False, comment="记录数 · records of the batch in the group"),
    CheckConstraint("refused BETWEEN 1 AND answered AND record_count >= 1", name="counts"),
    ForeignKeyConstraint(["batch_id"], ["exchange.prediction.batch_id"]),
    schema="exchange",
    comment="预计退回代码 · one row per batch, code and group; as many as record_count*refused/answered",
)

PREDICTED_RECORD = Table(
    "predicted_record",
    METADATA,
    key_text("record_id", "记录号 · record that will probably be refused"),
    Column("batch_id", Text, nullable=False, comment="批次号 · batch that carries it"),
    Column("rejection_code", Text, nullable=False, comment="退回代码 · with which code"),
    Column("rule_id", Text, nullable=False, comment="规则 · rule that names it"),
    ForeignKeyConstraint(["record_id"], ["exchange.record.record_id"]),
    ForeignKeyConstraint(["batch_id"], ["exchange.prediction.batch_id"]),
    schema="exchange",
    comment="点名记录 · one row per record that was named before it was sent",
)
Index("ix_predicted_record_batch_id", PREDICTED_RECORD.c.batch_id)
PREDICTIONS = (PREDICTION, PREDICTED_CODE, PREDICTED_RECORD)

FILING_STEP = Table(
    "filing_step",
    METADATA,
    key_text("receiver", "接收方 · receiver profile"),
    key_text("subsystem_code", "子系统 · J or T"),
    key_text("period", "年度 · reporting year"),
    number("step_number", "序号 · step of the filing, from 1"),
    Column("step_code", Text, nullable=False, comment="步骤 · freeze, sign, amend or revert"),
    Column("accepted_count", BigInteger, comment="已接收数 · records that the receiver has, of a signature"),
    Column("accepted_sha256", Text, comment="已接收摘要 · SHA-256 of these records, of a signature"),
    *why("理由 · why"),
    *who_and_when(),
    CheckConstraint("step_code IN ('freeze', 'sign', 'amend', 'revert')", name="step_code"),
    CheckConstraint("(step_code = 'sign') = (accepted_sha256 IS NOT NULL)", name="signed"),
    schema="exchange",
    comment="报送签批 · one row per step of what is filed under a subsystem in a year; never rewritten",
)

ANSWER = Table(
    "answer",
    METADATA,
    key_text("batch_id", "批次号 · batch"),
    key_text("level_code", "层级 · transfer or file; batch and records hold their own states"),
    Column("outcome_code", Text, nullable=False, comment="结果 · passed or failed"),
    Column("cause_code", Text, comment="原因代码 · why the receiver refused the file"),
    CheckConstraint("level_code IN ('transfer', 'file')", name="level_code"),
    CheckConstraint("outcome_code IN ('passed', 'failed')", name="outcome_code"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="接收方答复 · what the receiver said about the transfer and the file of a batch",
)

RECEIPT = Table(
    "receipt",
    METADATA,
    key_text("landing_id", "回执编号 · landing id of the receipt file"),
    Column("file_name", Text, nullable=False, comment="文件名 · name as received"),
    Column("batch_id", Text, comment="批次号 · NULL while no batch is known"),
    Column("stage", Text, nullable=False, comment="层级 · transfer, file, batch or record"),
    Column("state", Text, nullable=False, comment="状态 · applied or parked"),
    Column("accepted", Integer, nullable=False, comment="通过 · records accepted by it"),
    Column("rejected", Integer, nullable=False, comment="退回 · records rejected by it"),
    Column("message", Text, comment="说明 · why it was parked; no personal value"),
    CheckConstraint("state IN ('applied', 'parked')", name="state"),
    schema="exchange",
    comment="回执 · one row per receipt file",
)

ACCEPTED = Table(
    "accepted",
    METADATA,
    Column("receiver", Text, primary_key=True, comment="接收方 · receiver profile"),
    key_text("subsystem_code", "子系统 · J or T"),
    key_text("case_number", "个案编号 · number under which the receiver has it"),
    *history(),
    Column("person_id", Text, nullable=False, comment="对象 · person file number"),
    Column("period", Text, comment="年度 · reporting year of the last submission"),
    Column(
        "receiver_state_code", Text, nullable=False, comment="申请状态 · code set padis_application_state"
    ),
    Column("receiver_batch_id", Text, comment="接收方批次 · batch in which it was accepted, not one of ours"),
    Column("source_code", Text, nullable=False, comment="来源 · baseline: told by the imported cases"),
    Column("landing_id", Text, nullable=False, comment="落地编号 · landing of the source row"),
    Column("landing_row", BigInteger, nullable=False, comment="落地行号 · row of that landing, from 1"),
    CheckConstraint("source_code IN ('baseline')", name="source_code"),
    schema="exchange",
    comment="接收方已有 · one row per case that the receiver had before our first submission",
)
Index("ix_accepted_person_id", ACCEPTED.c.person_id)

SHARED_ITEM = Table(
    "shared_item",
    METADATA,
    key_text("item_id", "条目编号 · subject and round: the number on the wire"),
    Column("batch_id", Text, nullable=False, comment="批次号 · letter that carries it"),
    Column("business_date", Date, nullable=False, comment="业务日 · night that built the letter"),
    Column(
        "line_number",
        Integer,
        nullable=False,
        comment="行号 · line in the letter, from 1; line 1 names columns",
    ),
    Column("content_sha256", Text, nullable=False, comment="内容摘要 · SHA-256 of the line"),
    Column("kind_code", Text, nullable=False, comment="种类 · correction or task"),
    Column("addressee_code", Text, nullable=False, comment="送往 · population, mch, migrants or cases"),
    Column(
        "subject_id", Text, nullable=False, comment="事项 · digest of birth, field and addressee; or task_id"
    ),
    Column("round", Integer, nullable=False, comment="第几次 · from 1; its history stays with the subject"),
    Column("operation_code", Text, nullable=False, comment="操作 · A asked for, C withdrawn"),
    Column("match_id", Text, nullable=False, comment="核对编号 · birth that it is about"),
    Column("field_name", Text, comment="字段 · of a correction"),
    Column("evidence_sha256", Text, nullable=False, comment="依据摘要 · an answer holds while this is so"),
    UniqueConstraint("subject_id", "round"),
    UniqueConstraint("batch_id", "line_number"),
    CheckConstraint("kind_code IN ('correction', 'task')", name="kind_code"),
    CheckConstraint("operation_code IN ('A', 'C')", name="operation_code"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="送出的更正与待办 · one row per proposed correction or handed to-do in a letter",
)
Index("ix_shared_item_match_id", SHARED_ITEM.c.match_id)

SHARED_ANSWER = Table(
    "shared_answer",
    METADATA,
    key_text("item_id", "条目编号 · item that was answered"),
    key_text("state_code", "答复 · 20 being looked into, 30 done, 31 not done"),
    Column(
        "business_date",
        Date,
        nullable=False,
        comment="业务日 · newest business date then; it counts from the next one on",
    ),
    Column("cause_code", Text, comment="原因代码 · why it was not done"),
    ForeignKeyConstraint(["item_id"], ["exchange.shared_item.item_id"]),
    schema="exchange",
    comment="更正与待办的答复 · one row per word of an addressee about an item; it only goes forward",
)
