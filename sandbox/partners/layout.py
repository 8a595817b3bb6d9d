"""The receiver's own idea of the J and T upload, kept apart from the pipeline's receiver profile.

A mistake in the profile therefore shows as a rejection. Only the division upload was ever observed
(ZIP of text members, count, header, rows); column lists, codes and receipts are assumptions.
"""

import re

BATCH_NAME = re.compile(
    r"(?P<subsystem>[JTQ])_(?P<division>\d{6})_(?P<period>\d{4})_(?P<operation>[A-Z])_(?P<sequence>\d{4})",
    re.ASCII,
)
DIVISIONS = "Q"
ADD, CHANGE, WITHDRAW = "A", "B", "C"
OPERATIONS = (ADD, CHANGE, WITHDRAW)
MEMBER_KIND = {"J": "LNJF_JFDX", "T": "TBFZ_JFDX"}
HEADER = {
    "J": "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,户口性质,婚姻状况,类别,"
    "现存子女数,起始年月,金额",
    "T": "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,婚姻状况,类别,光荣证号,"
    "子女死亡日期,子女残疾等级,起始年月,金额",
}
# The same columns where a batch comes as XML: the elements of a record, in order.
ELEMENT_NAMES = {
    "J": "gabh,rkdzdah,xm,xbDm,csRq,sfzjlxDm,sfzjHm,hjdXzqhDm,hkxzDm,hyzkDm,lbDm,xczns,qsny,je",
    "T": "gabh,rkdzdah,xm,xbDm,csRq,sfzjlxDm,sfzjHm,hjdXzqhDm,hyzkDm,lbDm,grzh,znswRq,zncjdj,qsny,je",
}
ELEMENTS = {
    code: dict(zip(names.split(","), HEADER[code].split(","), strict=True))
    for code, names in ELEMENT_NAMES.items()
}
CATEGORIES = {"J": frozenset("123"), "T": frozenset("12")}

# PADIS writes 10 where the national code list writes 01 for the resident identity card.
FOREIGN_DOCUMENT_CODE = "01"

MOST_ARCHIVE_BYTES = 64 * 2**20
MOST_MEMBERS = 400
MOST_MEMBER_BYTES = 64 * 2**20
MOST_TEXT_BYTES = 512 * 2**20
MOST_RATIO = 200
RATIO_MATTERS_FROM = 2**20

STATES = {
    "10": "已上传",
    "20": "导入成功",
    "21": "导入失败",
    "22": "导入处理中",
    "30": "逻辑校验通过",
    "31": "逻辑校验不通过",
    "32": "逻辑校验处理中",
    "40": "已生成申请",
    "41": "生成申请失败",
    "42": "生成申请处理中",
}
FINAL_STATES = frozenset({"21", "31", "40", "41"})

FAULTS = {
    "E101": "个案编号格式错误",
    "E102": "人口电子档案号应为20位",
    "E103": "出生日期格式错误",
    "E104": "类别代码无效",
    "E105": "金额格式错误",
    "E106": "起始年月格式错误",
    "E107": "证件类型代码无效",
    "E201": "重复申报",
    "E202": "没有此个案",
    "E305": "户籍地区划无效",
    "E410": "年龄不符合",
}
# Why a whole file is refused, before any record is looked at.
FILE_FAULTS = {
    "F101": "摘要文件缺失或不符",
    "F102": "压缩包无法读取",
    "F103": "成员文件不符合约定",
    "F104": "记录数不符",
    "F105": "表头或列数不符",
    "F106": "文件过大",
    "F107": "没有记录",
    "F108": "批次号重复",
    "F109": "签名缺失或不符",
    "F110": "内容无法解密",
    "F111": "XML不符合约定",
}
# What a reviewer at the far side may find without any fault that we could know of.
REVIEW_FAULTS = ("E201", "E305", "E410")

TRANSFER_RECEIPT_HEADER = "批次号,文件名,字节数,摘要,时间"
FILE_RECEIPT_HEADER = "批次号,结论,记录数,代码,时间,说明"
BATCH_RECEIPT_HEADER = "批次号,状态,时间,说明"
RECORD_RECEIPT_HEADER = "批次号,成员文件,行号,个案编号,状态,代码,说明"
MOST_RECEIPT_ROWS = 50_000
