"""The one table of errors: number, gRPC status, what is wrong and what to do, in English and Chinese.

Lower numbers take precedence: when several things are wrong with a claim, the first in the table is the one reported
as the status of a unary call (all that were found travel in the details). Messages never hold a person's name or
number.
``docs/errors.md`` is printed from this table (`./dev docs`), and a test compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

INDEX = re.compile(r"\[\d+\]")
"""The number of a line or of an entry in a field path."""


class E(IntEnum):
    """Numbers of the error table; also the values of ``error`` columns. 0 is no error."""

    NONE = 0
    # 1000: the message itself
    MALFORMED_MESSAGE = 1001
    MESSAGE_TOO_LARGE = 1002
    TOO_MANY_CLAIMS = 1003
    EMPTY_BATCH = 1004
    NOT_UTF8 = 1005
    MISSING_VALUE = 1006
    # 1100: tables of claims, for re-pricing
    INPUT_UNREADABLE = 1101
    INPUT_COLUMN = 1102
    INPUT_TYPE = 1103
    MEMORY_TOO_SMALL = 1104
    RUN_DIFFERS = 1105
    OUTPUT_CHANGED = 1106
    CLUSTER_UNUSABLE = 1107
    WORKER_DIFFERS = 1108
    WORKERS_LOST = 1109
    NOT_COMPARABLE = 1110
    # 2000: who and which
    MISSING_INSTITUTION = 2001
    MISSING_ENCOUNTER = 2002
    MISSING_SEQUENCE = 2003
    MISSING_PERSON = 2004
    ID_TOO_LONG = 2005
    INVALID_ID = 2006
    UNKNOWN_AREA = 2010
    UNKNOWN_CARE_AREA = 2011
    UNKNOWN_SCHEME = 2012
    UNKNOWN_PERSON_TYPE = 2013
    UNKNOWN_CARE_TYPE = 2014
    UNKNOWN_INSTITUTION = 2015
    UNKNOWN_HOSPITAL_LEVEL = 2016
    UNKNOWN_ASSISTANCE_CATEGORY = 2017
    UNKNOWN_PROGRAMME = 2018
    UNKNOWN_DISEASE = 2019
    INVALID_CODE_VALUE = 2020
    CONTRADICTS_REGISTER = 2021
    # 3000: the claim
    INVALID_DATE = 3001
    DATE_ORDER = 3002
    DATE_OUT_OF_RANGE = 3003
    MISSING_DATE = 3004
    AMOUNT_OUT_OF_RANGE = 3005
    NEGATIVE_AMOUNT = 3006
    NO_LINES = 3007
    TOO_MANY_LINES = 3008
    LINES_DO_NOT_ADD_UP = 3009
    TOO_MANY_CODES = 3010
    AGE_OUT_OF_RANGE = 3011
    STAY_OUT_OF_RANGE = 3012
    PAYERS_EXCEED_TOTAL = 3013
    INVALID_ACCUMULATOR = 3014
    NOT_AN_AMOUNT = 3015
    SETTLED_IN_FUTURE = 3016
    STAY_CONTRADICTS_DATES = 3017
    LATE_SETTLEMENT = 3018
    FIELDS_CONTRADICT = 3019
    UNLIKELY_VALUE = 3020
    # 4000: a line
    MISSING_LINE_ID = 4001
    DUPLICATE_LINE_ID = 4002
    UNKNOWN_ITEM = 4003
    ZERO_QUANTITY = 4004
    QUANTITY_OUT_OF_RANGE = 4005
    PRICE_OUT_OF_RANGE = 4006
    LINE_AMOUNT_OUT_OF_RANGE = 4007
    LINE_SIGN = 4008
    INVALID_FEE_DATE = 4009
    REFUND_WITHOUT_ORIGINAL = 4010
    REFUND_EXCEEDS_ORIGINAL = 4011
    ITEM_NOT_VALID_ON_DATE = 4012
    FEE_AFTER_SETTLEMENT = 4013
    FEE_OUTSIDE_STAY = 4014
    PRICE_TIMES_QUANTITY = 4015
    # 5000: rules
    NO_RULE_ON_DATE = 5001
    NO_PLAN = 5002
    TWO_PLANS = 5003
    RULE_UNDEFINED = 5004
    UNKNOWN_RULES = 5005
    CORRUPT_PACK = 5006
    UNKNOWN_POOL = 5007
    CORRUPT_CASE_FILE = 5008
    CORRUPT_CALLERS = 5009
    # 6000: benefit
    CARE_NOT_COVERED = 6001
    PERSON_IN_TWO_PLANS = 6002
    # 7000: grouping and coding
    GROUPING_INVALID_RECORD = 7001
    UNKNOWN_GROUPING_SCHEME = 7002
    CODING_CHECK_FAILED = 7003
    NO_DIAGNOSIS = 7004
    UNKNOWN_CODE = 7005
    # 8000: payment
    NO_PAYMENT_METHOD = 8001
    GROUP_WITHOUT_POINTS = 8002
    HOSPITAL_WITHOUT_COEFFICIENT = 8003
    NO_POINT_VALUE = 8004
    NO_BED_DAY_RATE = 8005
    PAYMENT_RULE_UNDEFINED = 8006
    CANNOT_CLEAR = 8007
    UNPRICED_CASES = 8008
    PERIOD_CLOSED = 8009
    CANNOT_PRICE_AGAIN = 8010
    # 9000: ledger
    KEY_REUSED = 9001
    SETTLEMENT_NOT_FOUND = 9002
    NOT_LATEST_SETTLEMENT = 9003
    ALREADY_REVERSED = 9004
    PERSON_MISMATCH = 9005
    REVERSAL_OF_REVERSAL = 9006
    CONFLICT = 9007
    STORE_AWAY = 9008
    STORE_FULL = 9009
    STORE_NOT_DURABLE = 9010
    LEDGER_CORRUPT = 9011
    ENCOUNTER_SETTLED = 9012
    SEQUENCE_NOT_NEXT = 9013
    ENCOUNTER_OF_ANOTHER_PERSON = 9014
    LINE_SETTLED_BEFORE = 9015
    EARLIER_STAY_UNKNOWN = 9016
    CHAIN_DEDUCTIBLE_DIFFERS = 9017
    SAME_STAY = 9018
    OVERLAPPING_STAYS = 9019
    VISIT_IN_STAY = 9020
    TOO_MANY_STAYS = 9021
    NO_LEDGER = 9022
    STORE_EVICTS = 9023
    STORE_LACKS = 9024
    # 9500: the service
    NOT_READY = 9501
    OVERLOADED = 9502
    DEADLINE = 9503
    SHUTTING_DOWN = 9504
    # 9510: who calls, and what is recorded of it
    UNKNOWN_CALLER = 9510
    NOT_OF_ROLE = 9511
    NOT_OWN = 9512
    NOT_A_PATIENT = 9513
    AUDIT_UNWRITABLE = 9514
    AUDIT_BROKEN = 9515
    EVERYBODY_MAY_CALL = 9516
    CERTIFICATE_UNUSABLE = 9517
    INTERNAL = 9599


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. Texts may hold ``{detail}``: a safe value such as a code, a limit or the name of a key."""

    number: int
    status: str
    en: str
    zh: str
    do_en: str
    do_zh: str

    @property
    def code(self) -> str:
        """The public code, e.g. ``ADJ-3009``."""
        return f"ADJ-{self.number:04d}"


def _rows(*rows: tuple[E, str, str, str, str, str]) -> dict[int, Row]:
    return {int(number): Row(int(number), *texts) for number, *texts in rows}


INVALID, MISSING, EXISTS, PRECONDITION = "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION"
DENIED = "PERMISSION_DENIED"

# fmt: off
TABLE: dict[int, Row] = _rows(
    (E.MALFORMED_MESSAGE, INVALID, "The message is not a valid protobuf message of this call", "报文不是本接口的有效 protobuf 消息", "Encode it from the .proto files of this version", "请按本版本 .proto 文件编码"),
    (E.MESSAGE_TOO_LARGE, "RESOURCE_EXHAUSTED", "The message is larger than {detail} bytes", "报文超过 {detail} 字节", "Send fewer claims in one message", "请减少单个报文中的结算单数量"),
    (E.TOO_MANY_CLAIMS, INVALID, "More than {detail} claims in one batch", "一批超过 {detail} 张结算单", "Split the batch", "请分批发送"),
    (E.EMPTY_BATCH, INVALID, "The batch has no claims", "批次中没有结算单", "Send at least one claim", "请至少发送一张结算单"),
    (E.NOT_UTF8, INVALID, "A text is not in UTF-8{detail}", "文本不是 UTF-8 编码{detail}", "Convert texts to UTF-8 before the message is encoded", "请先将文本转为 UTF-8，再编码报文"),
    (E.MISSING_VALUE, INVALID, "A value is missing (null) where an amount or a quantity must be", "应填金额或数量处为空值", "Write the amount, 0 where there is none", "请填写数值；没有的填 0"),
    (E.INPUT_UNREADABLE, INVALID, "The input cannot be read: {detail}", "无法读取输入：{detail}", "See docs/reprice.md for the tables and the mapping file", "数据表与映射文件的写法见 docs/reprice.md"),
    (E.INPUT_COLUMN, INVALID, "The input has no column {detail}", "输入中没有列 {detail}", "Add the column, or name the column of the table in a mapping file (--mapping)", "请补充该列，或在映射文件（--mapping）中写明对应列名"),
    (E.INPUT_TYPE, INVALID, "A column has the wrong type: {detail}", "列的类型不符：{detail}", "Convert the column, or state its unit in a mapping file; a floating-point number is never read as money", "请转换该列，或在映射文件中注明单位；浮点数一律不作为金额读取"),
    (E.MEMORY_TOO_SMALL, INVALID, "The memory is less than {detail}, which the workers need at least", "内存低于各进程所需的最小值 {detail}", "Give more with --memory, or fewer --workers", "请用 --memory 增加内存，或减少 --workers"),
    (E.RUN_DIFFERS, PRECONDITION, "The output folder cannot be used: {detail}", "输出目录不可用：{detail}", "Name an empty folder, or go on with the run that was begun there by --resume and the same options", "请指定空目录，或以相同选项加 --resume 继续原任务"),
    (E.OUTPUT_CHANGED, PRECONDITION, "A file or the rules are not those of the manifest: {detail}", "文件或规则与清单不符：{detail}", "Price the input again, or find out who changed it", "请重新计算，或查明更改来源"),
    (E.CLUSTER_UNUSABLE, PRECONDITION, "The cluster cannot be used: {detail}", "集群不可用：{detail}", "Start the scheduler and at least one worker, and check --scheduler", "请启动调度器和至少一个工作进程，并核对 --scheduler"),
    (E.WORKER_DIFFERS, PRECONDITION, "A worker cannot run the tasks of this run: {detail}", "工作进程不能执行本任务：{detail}", "Give every worker the same version, the same packs and the same shared folders, then go on with --resume", "请让各工作进程使用相同的版本、规则包和共享目录，再加 --resume 继续"),
    (E.WORKERS_LOST, PRECONDITION, "Workers ended while they ran a task: {detail}", "工作进程在执行任务时终止：{detail}", "Look at their logs; often the memory was too small. Go on with --resume", "请查看其日志，常因内存不足；之后可加 --resume 继续"),
    (E.NOT_COMPARABLE, INVALID, "The answers cannot be compared: {detail}", "两次结果无法比较：{detail}", "Compare runs over the same claims, one of them with --facts; docs/reprice.md says which columns hold recorded answers", "请比较同一批结算的两次结果，且至少一次带 --facts；已结算结果的列见 docs/reprice.md"),
    (E.MISSING_INSTITUTION, INVALID, "The institution code is missing", "缺少定点医药机构编号", "Send institution_code (fixmedins_code)", "请填写 institution_code (fixmedins_code)"),
    (E.MISSING_ENCOUNTER, INVALID, "The encounter id is missing", "缺少就诊ID", "Send encounter_id (mdtrt_id)", "请填写 encounter_id (mdtrt_id)"),
    (E.MISSING_SEQUENCE, INVALID, "The settlement sequence is missing", "缺少结算序号", "Number the settlements of an encounter from 1", "请从 1 起为同一就诊的结算编号"),
    (E.MISSING_PERSON, INVALID, "The person number is missing", "缺少人员编号", "Send person_id (psn_no)", "请填写 person_id (psn_no)"),
    (E.ID_TOO_LONG, INVALID, "An identifier or code is longer than {detail} bytes", "标识或代码超过 {detail} 字节", "Send the national code or id", "请使用国家标准代码或编号"),
    (E.INVALID_ID, INVALID, "An identifier or code has a blank at an end, or a character that is not printable ASCII", "标识或代码首尾有空格，或含有可打印 ASCII 以外的字符", "Send it as the platform gave it, without blanks around it", "请按平台下发的原值填写，去除首尾空格"),
    (E.UNKNOWN_AREA, INVALID, "The area of insurance belongs to no pool of this service", "参保地区划不属于本服务的任何统筹区", "Check insured_area, or load the pack of that city", "请核对 insured_area，或加载该市规则包"),
    (E.UNKNOWN_CARE_AREA, INVALID, "The area of care is not a six-digit area code", "就医地区划不是六位区划代码", "Check care_area (mdtrtarea_admvs)", "请核对 care_area (mdtrtarea_admvs)"),
    (E.UNKNOWN_SCHEME, INVALID, "Unknown scheme", "未知险种类型", "Send 310 (employees) or 390 (residents) or another scheme of the pack", "请填写 310（职工）、390（居民）或规则包中的其他险种"),
    (E.UNKNOWN_PERSON_TYPE, INVALID, "Unknown person type", "未知人员类别", "Send a national psn_type code such as 11, 12, 14, 15", "请填写国家人员类别代码，如 11、12、14、15"),
    (E.UNKNOWN_CARE_TYPE, INVALID, "Unknown medical category", "未知医疗类别", "Send a med_type that the pack lists", "请填写规则包所列医疗类别"),
    (E.UNKNOWN_INSTITUTION, INVALID, "The institution is not in the pack's hospital register", "定点医药机构不在规则包登记表中", "Check institution_code, or the hospital and its days (from, to) in hospitals.csv", "请核对机构编号，或 hospitals.csv 中的登记及起止日期（from、to）"),
    (E.UNKNOWN_HOSPITAL_LEVEL, INVALID, "Unknown hospital level", "未知医院等级", "Send hosp_lv 01 to 11 for an institution outside the pool", "统筹区外机构请填写医院等级 01 至 11"),
    (E.UNKNOWN_ASSISTANCE_CATEGORY, INVALID, "Unknown assistance category", "未知救助对象类别", "Send a category that the pack lists", "请填写规则包所列救助对象类别"),
    (E.UNKNOWN_PROGRAMME, INVALID, "Unknown programme", "未知专项保障项目", "Send a programme that the pack lists and that runs on the date", "请填写规则包所列且当日有效的专项"),
    (E.UNKNOWN_DISEASE, INVALID, "Unknown disease-list code", "未知病种编码", "Send a disease_code that the pack lists", "请填写规则包所列病种编码"),
    (E.INVALID_CODE_VALUE, INVALID, "A coded value is outside its list", "代码值不在值域内", "See the comment of the field in the .proto file", "请参见 .proto 文件中该字段的说明"),
    (E.CONTRADICTS_REGISTER, INVALID, "The claim contradicts the pack's hospital register, which has {detail}", "与规则包医疗机构登记不一致，登记为 {detail}", "Correct the field, or the register", "请核对该字段或登记表"),
    (E.INVALID_DATE, INVALID, "Not a calendar date", "日期无效", "Write YYYYMMDD, for example 20240531", "请按 YYYYMMDD 填写，例如 20240531"),
    (E.DATE_ORDER, INVALID, "The dates are out of order", "日期先后有误", "Admission, discharge, settlement and reversal must follow each other", "入院、出院、结算、撤销日期应依次不早于前者"),
    (E.DATE_OUT_OF_RANGE, INVALID, "A date is outside the years this service knows", "日期超出本服务支持的年份", "Check the date", "请核对日期"),
    (E.MISSING_DATE, INVALID, "A date is missing", "缺少日期", "Send settlement_date and admission_date", "请填写结算日期与入院（就诊）日期"),
    (E.AMOUNT_OUT_OF_RANGE, INVALID, "An amount is beyond {detail} fen", "金额超过 {detail} 分", "Check the amount; money is in fen", "请核对金额；单位为分"),
    (E.NEGATIVE_AMOUNT, INVALID, "An amount that cannot be negative is negative", "不得为负的金额为负数", "Send an amount of 0 or more; take a settlement back with Reverse", "请填写不小于 0 的金额；冲销请调用 Reverse"),
    (E.NO_LINES, INVALID, "The claim has no fee lines", "没有费用明细", "Send the fee lines", "请上传费用明细"),
    (E.TOO_MANY_LINES, INVALID, "More than {detail} fee lines", "费用明细超过 {detail} 条", "Settle in mid-stay, or join lines of one item and day", "请分段结算，或合并同日同项目明细"),
    (E.LINES_DO_NOT_ADD_UP, INVALID, "The lines do not add up to the total of the claim", "明细合计与医疗费总额不一致", "Send total_fen = sum of amount_fen", "请使 total_fen 等于明细 amount_fen 之和"),
    (E.TOO_MANY_CODES, INVALID, "More than {detail} diagnoses or procedures", "诊断或手术操作超过 {detail} 个", "Send each code once", "每个编码只上传一次"),
    (E.AGE_OUT_OF_RANGE, INVALID, "The age is beyond {detail} years", "年龄超过 {detail} 岁", "Check age_years and age_days", "请核对年龄"),
    (E.STAY_OUT_OF_RANGE, INVALID, "The days of the stay are out of range", "住院天数超出范围", "Check stay_days and the dates", "请核对住院天数与日期"),
    (E.PAYERS_EXCEED_TOTAL, INVALID, "What other payers and the hospital bear is more than the total", "其他支付与医院负担之和超过总额", "Check hospital_borne_fen and other_payer_fen", "请核对医院负担与其他支付"),
    (E.INVALID_ACCUMULATOR, INVALID, "Unknown or invalid year-to-date amount {detail}", "年度累计项 {detail} 未知或无效", "Use the names of the glossary; amounts are not negative", "请使用术语表中的名称，且不得为负"),
    (E.NOT_AN_AMOUNT, INVALID, "Not an amount of money: {detail}", "不是有效金额：{detail}", "Write a plain number; money is in yuan and has no third decimal", "请填写普通数字；金额以元为单位，最多两位小数"),
    (E.SETTLED_IN_FUTURE, INVALID, "The settlement date is after {detail}, the last day that the service settles now", "结算日期晚于本服务当前可结算的最后日期 {detail}", "Check the date and the clock of the sending system", "请核对结算日期与发送方系统时钟"),
    (E.STAY_CONTRADICTS_DATES, INVALID, "The days of the stay contradict its dates, which give {detail}", "住院天数与日期不一致，按日期应为 {detail} 天", "Check stay_days and the dates; stay_days was used", "请核对住院天数与日期；本次按所填天数结算"),
    (E.LATE_SETTLEMENT, INVALID, "The settlement is {detail} days after the care", "结算距就诊或出院已 {detail} 天", "Check the year of the dates", "请核对日期的年份"),
    (E.FIELDS_CONTRADICT, INVALID, "These fields contradict each other: {detail}", "字段相互矛盾：{detail}", "Check each of them; all were used as they are", "请逐一核对；本次按所填内容结算"),
    (E.UNLIKELY_VALUE, INVALID, "The value is outside the usual range {detail}", "数值超出常见范围 {detail}", "Check the value and its unit; it was used as it is", "请核对数值及其单位；本次按所填内容结算"),
    (E.MISSING_LINE_ID, INVALID, "A fee line has no serial", "费用明细缺少流水号", "Send line_id (feedetl_sn)", "请填写 line_id (feedetl_sn)"),
    (E.DUPLICATE_LINE_ID, INVALID, "Two fee lines have the same serial", "费用明细流水号重复", "Number each line once", "请保证流水号唯一"),
    (E.UNKNOWN_ITEM, INVALID, "The item is not in the catalogue", "项目不在医保目录中", "Send the national code (med_list_codg), or set the pack's unknown_item option", "请填写国家医保编码，或设置规则包 unknown_item 选项"),
    (E.ZERO_QUANTITY, INVALID, "The quantity is zero", "数量为零", "Leave the line out", "请删除该明细"),
    (E.QUANTITY_OUT_OF_RANGE, INVALID, "The quantity is out of range", "数量超出范围", "Quantity is in 1/10000 unit", "数量单位为万分之一"),
    (E.PRICE_OUT_OF_RANGE, INVALID, "The unit price is out of range", "单价超出范围", "Price is in 1/10000 fen and not negative", "单价单位为万分之一分且不为负"),
    (E.LINE_AMOUNT_OUT_OF_RANGE, INVALID, "The amount of a line is out of range", "明细金额超出范围", "Check amount_fen", "请核对明细金额"),
    (E.LINE_SIGN, INVALID, "Quantity and amount of a line have different signs", "明细数量与金额符号不一致", "A refund has both negative", "退费明细数量与金额均为负"),
    (E.INVALID_FEE_DATE, INVALID, "The fee date is not a calendar date", "费用发生日期无效", "Write YYYYMMDD", "请按 YYYYMMDD 填写"),
    (E.REFUND_WITHOUT_ORIGINAL, INVALID, "A refund names no line of this claim", "退费明细未指明本单内的原明细", "Send original_line_id of a line of the same claim", "请填写同一结算单内原明细流水号"),
    (E.REFUND_EXCEEDS_ORIGINAL, INVALID, "Refunds of a line are more than the line", "退费超过原明细", "Check the refunded quantity and amount", "请核对退费数量与金额"),
    (E.ITEM_NOT_VALID_ON_DATE, INVALID, "The item is not valid on the fee date", "项目在费用发生日无效", "Check fee_date, or set the pack's not_valid_item option", "请核对费用日期，或设置规则包 not_valid_item 选项"),
    (E.FEE_AFTER_SETTLEMENT, INVALID, "The fee date is after the settlement", "费用发生日期晚于结算日期", "Check fee_date and settlement_date", "请核对费用发生日期与结算日期"),
    (E.FEE_OUTSIDE_STAY, INVALID, "The fee date is outside the care, which is from {detail}", "费用发生日期不在就诊期间 {detail} 内", "Correct fee_date; set before_admission for emergency care and tests before admission", "请更正费用发生日期；急诊与入院前检查请填写 before_admission"),
    (E.PRICE_TIMES_QUANTITY, INVALID, "Price times quantity is {detail} fen and not the amount of the line", "单价乘数量为 {detail} 分，与明细金额不符", "Check unit_price_e4 (1/10000 fen), quantity_e4 (1/10000 unit) and amount_fen (fen)", "请核对 unit_price_e4（万分之一分）、quantity_e4（万分之一单位）与 amount_fen（分）"),
    (E.NO_RULE_ON_DATE, PRECONDITION, "No rule is valid on the deciding date", "判定日期没有有效规则", "Check the dates, or load a pack that covers them", "请核对日期，或加载覆盖该日期的规则包"),
    (E.NO_PLAN, PRECONDITION, "The pack has no plan for this scheme and kind of care", "规则包没有该险种与医疗类别的待遇方案", "Check scheme and care_type, or add the plan", "请核对险种与医疗类别，或补充待遇方案"),
    (E.TWO_PLANS, PRECONDITION, "Two plans fit the claim", "同时符合两个待遇方案", "Correct the pack; adjudicator rules check names both plans", "请修正规则包；adjudicator rules check 会列出两个方案"),
    (E.RULE_UNDEFINED, PRECONDITION, "The documents define no rule for this case: {detail}", "文件未规定此情形：{detail}", "Set the value in the pack once the bureau has decided", "经办机构确定后在规则包中设置"),
    (E.UNKNOWN_RULES, MISSING, "No such rule bundle is loaded", "未加载该规则包", "See adjudicator rules show", "请用 adjudicator rules show 查看"),
    (E.CORRUPT_PACK, PRECONDITION, "Rules or tables have faults: {detail}", "规则或数据表有误：{detail}", "Correct every place that is listed; adjudicator rules check PACK lists them all", "请按所列逐条更正；adjudicator rules check 规则包 可列出全部"),
    (E.UNKNOWN_POOL, MISSING, "No such pool is loaded", "未加载该统筹区", "Send the city's six-digit code of a loaded pack", "请填写已加载规则包的市级区划代码"),
    (E.CORRUPT_CASE_FILE, INVALID, "The case file has a fault: {detail}", "案例文件有误：{detail}", "See docs/cases.md for the keys of a case", "案例的写法见 docs/cases.md"),
    (E.CORRUPT_CALLERS, INVALID, "The list of callers has a fault: {detail}", "调用方名单有误：{detail}", "See docs/callers.md for its keys", "写法见 docs/callers.md"),
    (E.CARE_NOT_COVERED, PRECONDITION, "This kind of care is not covered for this person", "该人员不享受此类待遇", "Check the category and the filing", "请核对医疗类别与备案"),
    (E.PERSON_IN_TWO_PLANS, PRECONDITION, "The person type belongs to two plans of the pack", "人员类别同时属于两个方案", "Correct the pack; adjudicator rules check names both groups", "请修正规则包；adjudicator rules check 会列出两个分组"),
    (E.GROUPING_INVALID_RECORD, INVALID, "The record cannot be grouped: {detail}", "病案无法分组：{detail}", "Check sex, age, birth weight and diagnoses", "请核对性别、年龄、出生体重与诊断"),
    (E.UNKNOWN_GROUPING_SCHEME, MISSING, "No such grouping scheme is loaded", "未加载该分组方案", "See adjudicator scheme check", "请用 adjudicator scheme check 查看"),
    (E.CODING_CHECK_FAILED, INVALID, "A coding check failed: {detail}", "病案编码审核未通过：{detail}", "Correct the code, or lower the rule's severity in the pack", "请修正编码，或在规则包中降低规则级别"),
    (E.NO_DIAGNOSIS, INVALID, "An inpatient claim has no diagnosis", "住院结算缺少诊断", "Send the principal diagnosis first", "请首位填写主要诊断"),
    (E.UNKNOWN_CODE, INVALID, "The grouping scheme does not know the code {detail}", "分组方案中没有编码 {detail}", "Send diagnoses and procedures in the codes of the insurance edition (医保版)", "请使用医保版疾病诊断与手术操作编码"),
    (E.NO_PAYMENT_METHOD, PRECONDITION, "No payment method fits the claim", "没有适用的付费方式", "Add a row to the pack's method table", "请补充规则包付费方式表"),
    (E.GROUP_WITHOUT_POINTS, PRECONDITION, "The group {detail} has no base points", "病组 {detail} 没有基准点数", "Add the group to the pack's points table, or calibrate", "请补充点数表或重新测算"),
    (E.HOSPITAL_WITHOUT_COEFFICIENT, PRECONDITION, "The hospital has no coefficient and no level to take one from ({detail})", "医院没有系数也无等级可推定（{detail}）", "Add the coefficient or the level", "请补充系数或等级"),
    (E.NO_POINT_VALUE, PRECONDITION, "No provisional point value for the month and scheme ({detail})", "当月该险种没有预付点值（{detail}）", "Set it in the pack, or settle the month before", "请在规则包设置，或先结算上月"),
    (E.NO_BED_DAY_RATE, PRECONDITION, "No bed-day rate for this hospital level and category ({detail})", "该等级与类别没有床日标准（{detail}）", "Add the rate to the pack", "请在规则包补充床日标准"),
    (E.PAYMENT_RULE_UNDEFINED, PRECONDITION, "The documents define no payment rule for this case: {detail}", "文件未规定此付费情形：{detail}", "Set the value in the pack", "请在规则包中设置"),
    (E.CANNOT_CLEAR, PRECONDITION, "The period cannot be cleared or shared: {detail}", "无法清算或分担：{detail}", "Complete the figures or the pack, then run again", "请补充数据或规则包后重新运行"),
    (E.UNPRICED_CASES, PRECONDITION, "Cases of the period have no price, so nothing was posted: {detail}", "本期有未计价病例，未入账：{detail}", "Complete the pack's payment rules and run adjudicator ledger resettle, or post without them (--without-unpriced)", "请补充规则包付费规则后运行 adjudicator ledger resettle，或加 --without-unpriced 不含其入账"),
    (E.PERIOD_CLOSED, PRECONDITION, "The period is closed: {detail}", "期间已结：{detail}", "Nothing is posted to it any more; its differences are posted when the open month is closed", "已结期间不再入账，差额在当前未结月份结账时入账"),
    (E.CANNOT_PRICE_AGAIN, PRECONDITION, "The record does not keep all that the payment rules ask for: {detail}", "记录中缺少付费规则所需内容：{detail}", "Take the settlement back and send the claim again", "请冲销该结算并重新上传"),
    (E.KEY_REUSED, EXISTS, "This key was settled with other content; different field: {detail}", "该结算键已用于不同内容，差异字段：{detail}", "Ask GetSettlement, or use the next settlement_sequence after a reversal", "请查询 GetSettlement；撤销后用下一结算序号"),
    (E.SETTLEMENT_NOT_FOUND, MISSING, "No settlement has this key", "没有该结算记录", "Check institution_code, encounter_id and settlement_sequence", "请核对机构编号、就诊ID与结算序号"),
    (E.NOT_LATEST_SETTLEMENT, PRECONDITION, "A later settlement of the year would come out differently without this one; reverse first: {detail}", "本年度之后的结算会因撤销而改变，请先撤销：{detail}", "Reverse the named settlement first; one that is named by its date alone is of another institution", "请先撤销所指结算；仅列日期的为其他机构的结算"),
    (E.ALREADY_REVERSED, EXISTS, "The settlement has been reversed on {detail}", "该结算已于 {detail} 撤销", "Ask GetSettlement for the reversal; to settle again take the next settlement_sequence", "请用 GetSettlement 查询冲销记录；重新结算请用下一结算序号"),
    (E.PERSON_MISMATCH, PRECONDITION, "The settlement belongs to another person", "该结算属于其他人员", "Check person_id", "请核对人员编号"),
    (E.REVERSAL_OF_REVERSAL, INVALID, "A reversal cannot be reversed", "冲销记录不可再冲销", "Settle again with the next settlement_sequence", "请用下一结算序号重新结算"),
    (E.CONFLICT, "ABORTED", "Other settlements of the person went on at the same time", "该人员同时有其他结算进行", "Send the same claim again", "请重发同一结算单"),
    (E.STORE_AWAY, "UNAVAILABLE", "The ledger store does not answer", "账本存储无响应", "Send the same claim again after the retry delay; nothing was half done", "请按重试间隔重发；未产生部分写入"),
    (E.STORE_FULL, "RESOURCE_EXHAUSTED", "The ledger store is full", "账本存储已满", "Give the store memory (maxmemory), then send again", "请为账本存储扩容（maxmemory）后重发"),
    (E.STORE_NOT_DURABLE, PRECONDITION, "The ledger store does not keep writes on disk: {detail}", "账本存储未落盘：{detail}", "Set appendonly yes and appendfsync always, and see that the disk has room", "请设置 appendonly yes 与 appendfsync always，并检查磁盘空间"),
    (E.LEDGER_CORRUPT, "DATA_LOSS", "The ledger is not consistent: {detail}", "账本不一致：{detail}", "Run adjudicator ledger verify, then rebuild", "请运行 ledger verify 与 rebuild"),
    (E.ENCOUNTER_SETTLED, PRECONDITION, "Settlement {detail} of this encounter stands, so it is not settled again", "该就诊第 {detail} 次结算仍有效，不得重复结算", "Fetch it with GetSettlement. To correct it, take it back with Reverse; the corrected claim takes the next settlement_sequence", "请用 GetSettlement 取回结果；如需更正，请先用 Reverse 撤销，再用下一结算序号结算"),
    (E.SEQUENCE_NOT_NEXT, PRECONDITION, "The encounter has no settlement {detail}, so this is not its next number", "该就诊没有第 {detail} 次结算，结算序号不连续", "The first settlement of an encounter has settlement_sequence 1, each further one the next number; after a time-out send the same number again", "首次结算序号为 1，其后依次加 1；超时后请用原序号重发"),
    (E.ENCOUNTER_OF_ANOTHER_PERSON, PRECONDITION, "The encounter has been settled for another person", "该就诊已为其他人员结算", "Check person_id and encounter_id", "请核对人员编号与就诊ID"),
    (E.LINE_SETTLED_BEFORE, PRECONDITION, "Settlement {detail} of this stay has settled the fee line already", "该费用明细已在本次住院第 {detail} 次结算中结算", "Send only the lines since the last part of the stay, each with a line_id of its own", "请只上传上次中途结算之后的费用明细，且明细流水号不得重复"),
    (E.EARLIER_STAY_UNKNOWN, PRECONDITION, "No settlement of the person's benefit year has the encounter that referral_from_encounter names", "该人员本年度结算中没有 referral_from_encounter 所指的就诊", "Check the encounter id. referral_deductible_fen counts where it is sent; otherwise the stay owes its own deductible", "请核对就诊ID；已填写 referral_deductible_fen 的按其计算，未填写的按本次住院的起付标准计算"),
    (E.CHAIN_DEDUCTIBLE_DIFFERS, PRECONDITION, "The ledger knows that the referral chain was charged {detail} yuan, which counts instead of referral_deductible_fen", "账本中该转诊链已付起付标准 {detail} 元，以此为准，不采用 referral_deductible_fen", "Leave referral_deductible_fen out where the earlier stay was settled here", "前次住院已在本统筹区结算的，无需填写 referral_deductible_fen"),
    (E.SAME_STAY, PRECONDITION, "The institution has settled a stay of this person on the same days under another encounter id: {detail}", "本机构已用其他就诊ID结算该人员同一时段的住院：{detail}", "Where it is the same stay, take one of the two back with Reverse; otherwise check admission_date and discharge_date", "如为同一次住院，请用 Reverse 撤销其中一笔；否则请核对入院、出院日期"),
    (E.OVERLAPPING_STAYS, PRECONDITION, "Another stay of this person has been settled for some of these days", "该人员在此时段内另有一次住院已结算", "Check admission_date and discharge_date; where they are right, ask the bureau", "请核对入院、出院日期；确认无误的，请联系医保经办机构"),
    (E.VISIT_IN_STAY, PRECONDITION, "An outpatient visit of this person lies within a stay", "该人员住院期间有门诊就诊", "Check the dates and whether the cost of the visit belongs to the stay; where they are right, ask the bureau", "请核对日期，并核对该门诊费用是否应计入住院；确认无误的，请联系医保经办机构"),
    (E.TOO_MANY_STAYS, PRECONDITION, "The person's benefit year has {detail} stays and weeks with visits; no more are taken", "该人员本年度住院及就诊记录已达 {detail} 条，不再受理", "Check person_id; no person has so many", "请核对人员编号"),
    (E.NO_LEDGER, MISSING, "There is no ledger in {detail}", "{detail} 中没有账本", "Name the folder that a service keeps its ledger in (serve --data; the demo keeps it in DIR/ledger)", "请填写服务保存账本的文件夹（serve --data；demo 的账本在 DIR/ledger）"),
    (E.STORE_EVICTS, PRECONDITION, "The ledger store drops keys when its memory is full: {detail}", "账本存储内存不足时会淘汰数据：{detail}", "Set maxmemory-policy noeviction, then run adjudicator ledger verify", "请设置 maxmemory-policy noeviction，并运行 adjudicator ledger verify"),
    (E.STORE_LACKS, PRECONDITION, "The ledger store lacks what the ledger needs: {detail}", "账本存储不满足账本要求：{detail}", "Use Valkey 7.2 or Redis 7.0 or later, and allow the ledger's user all commands on keys adj:*", "请使用 Valkey 7.2、Redis 7.0 或更高版本，并允许账本用户对 adj:* 键执行全部命令"),
    (E.NOT_READY, "UNAVAILABLE", "The service is warming up", "服务正在预热", "Send again after the retry delay", "请按重试间隔重发"),
    (E.OVERLOADED, "RESOURCE_EXHAUSTED", "Too many calls are waiting", "等待的请求过多", "Send again after the retry delay", "请按重试间隔重发"),
    (E.DEADLINE, "DEADLINE_EXCEEDED", "The deadline passed before the claim was priced; nothing was recorded", "超过时限，未入账", "Send the same claim again with more time", "请延长时限后重发同一结算单"),
    (E.SHUTTING_DOWN, "UNAVAILABLE", "The service is stopping", "服务正在停止", "Send again to another node", "请向其他节点重发"),
    (E.UNKNOWN_CALLER, "UNAUTHENTICATED", "No name of the certificate is in the list of callers", "证书中的名称均未列入调用方名单", "Ask the operator of the service to enter one of its names in callers.toml", "请联系服务运维方，将证书名称列入 callers.toml"),
    (E.NOT_OF_ROLE, DENIED, "The role {detail} may not make this call", "角色 {detail} 无权调用本接口", "docs/permissions.md lists the calls of each role", "各角色可调用的接口见 docs/permissions.md"),
    (E.NOT_OWN, DENIED, "The field names something that is not the caller's own", "该字段所指内容不在调用方权限范围内", "Check the field; the operator of the service keeps in callers.toml what is whose", "请核对该字段；权限范围由服务运维方在 callers.toml 中登记"),
    (E.NOT_A_PATIENT, DENIED, "The person has no settlement at the caller's institutions in this year", "该人员本年度在调用方机构没有结算", "Send the person's claim with PreSettle, which counts the year", "请用 PreSettle 发送该人员的结算单，试算时会计入年度累计"),
    (E.AUDIT_UNWRITABLE, "UNAVAILABLE", "The audit log cannot be written, and what it cannot record is not done", "审计日志无法写入，无法登记的操作不予执行", "Put its disk right (the operator of the service), then send again", "请服务运维方处理审计日志所在磁盘后重试"),
    (E.AUDIT_BROKEN, PRECONDITION, "The audit log is not what was written: {detail}", "审计日志与写入时不符：{detail}", "Keep the files as they are, find out who changed them, and name another folder meanwhile (docs/callers.md)", "请保留原文件并查明更改来源，期间另指定一个文件夹（docs/callers.md）"),
    (E.EVERYBODY_MAY_CALL, PRECONDITION, "On {detail} everybody who reaches the port could settle, reverse and read", "在 {detail} 上，任何能连接该端口者都可结算、撤销和查询", "Give --tls-client-ca and --callers, listen on 127.0.0.1, or say --insecure", "请指定 --tls-client-ca 与 --callers，或仅监听 127.0.0.1，或明确使用 --insecure"),
    (E.CERTIFICATE_UNUSABLE, PRECONDITION, "A certificate or key cannot be used: {detail}", "证书或私钥不可用：{detail}", "Check that the files are PEM and belong together, and who may read them", "请核对文件为 PEM 格式、相互匹配且可读取"),
    (E.INTERNAL, "INTERNAL", "A fault of the service; the claim was not recorded", "服务内部错误，未入账", "Report it with the time of the call", "请附调用时间报告"),
)

REMEDIES: dict[tuple[int, str], tuple[str, str]] = {
    (E.MISSING_DATE, "discharge_date"): ("Send discharge_date, or set mid_stay for a settlement in mid-stay", "请填写出院日期；中途结算请填写 mid_stay"),
    (E.MISSING_DATE, "settlement_date"): ("Send settlement_date", "请填写结算日期"),
    (E.MISSING_DATE, "admission_date"): ("Send admission_date, the date of admission or of the visit", "请填写入院（就诊）日期"),
    (E.UNKNOWN_AREA, "insured_area"): ("Send the six digits of a county of the pool, or load the pack of that city", "请填写统筹区所辖区县的六位区划代码，或加载该市规则包"),
    (E.UNKNOWN_HOSPITAL_LEVEL, "hospital_level"): ("Send the two digits of the national level, 01 to 11", "请填写国家医院等级代码 01 至 11"),
    (E.NEGATIVE_AMOUNT, "account_current_fen"): ("Send the balance in fen, 0 or more", "请填写账户余额，单位为分，不得为负"),
    (E.NEGATIVE_AMOUNT, "account_past_fen"): ("Send the balance in fen, 0 or more", "请填写账户余额，单位为分，不得为负"),
    (E.NEGATIVE_AMOUNT, "account_family_fen"): ("Send the balance in fen, 0 or more", "请填写共济账户余额，单位为分，不得为负"),
    (E.NEGATIVE_AMOUNT, "hospital_borne_fen"): ("Send what the institution bears in fen, 0 or more", "请填写医院负担金额，单位为分，不得为负"),
    (E.NEGATIVE_AMOUNT, "other_payer_fen"): ("Send what others pay in fen, 0 or more", "请填写其他支付金额，单位为分，不得为负"),
    (E.NEGATIVE_AMOUNT, "referral_deductible_fen"): ("Send what the chain has charged in fen, 0 or more", "请填写转诊已计起付线，单位为分，不得为负"),
    (E.INVALID_CODE_VALUE, "sex"): ("Send 1 male, 2 female, 0 unknown or 9 not stated", "请填写 1 男、2 女、0 未知或 9 未说明"),
    (E.INVALID_CODE_VALUE, "enrolment_status"): ("Send 0 or 1 active, 2 suspended, 4 ended", "请填写 0 或 1 正常、2 暂停、4 终止"),
    (E.INVALID_CODE_VALUE, "discharge_way"): ("Send 1 to 5, or 9", "请填写 1 至 5 或 9"),
    (E.INVALID_CODE_VALUE, "maternity_type"): ("Send 1 to 7, or 9; 0 for no maternity", "请填写 1 至 7 或 9；非生育为 0"),
    (E.INVALID_CODE_VALUE, "filing"): ("Send a number of the enumeration Filing, 0 to 8", "请填写枚举 Filing 的值 0 至 8"),
    (E.INVALID_CODE_VALUE, "referral"): ("Send a number of the enumeration Referral, 0 to 4", "请填写枚举 Referral 的值 0 至 4"),
    (E.INVALID_CODE_VALUE, "lines[].approval"): ("Send 0 no approval needed, 1 approved, 2 refused", "请填写 0 无须审批、1 审批通过、2 审批不通过"),
    (E.INVALID_CODE_VALUE, "lines[].before_admission"): ("Send 0 ordinary, 1 emergency, 2 tests before admission", "请填写 0 普通、1 急诊、2 入院前检查"),
    (E.STAY_OUT_OF_RANGE, "icu_hours"): ("Check icu_hours, which are hours", "请核对重症监护时长，单位为小时"),
}
"""What to do where one field needs other words than the row of the table: by number and field path."""
# fmt: on


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was noticed about a claim: an expected error is a value, not an exception."""

    number: int
    field: str = ""
    detail: str = ""
    warning: bool = False
    value: str = ""
    """The value received, where the field says nothing about the person; it ends the first sentence of the message."""
    detail_zh: str = ""
    """The detail in Chinese, where it is not a code, a limit or the name of a field."""

    @property
    def row(self) -> Row:
        """The row of the table."""
        return TABLE[self.number]

    @property
    def message(self) -> str:
        """English: what and the value received, then what to do."""
        received = f" (received: {self.value})" if self.value else ""
        return f"{self.row.en.format(detail=self.detail)}{received}. {self._remedy[0]}."

    @property
    def message_zh(self) -> str:
        """Chinese: what and the value received, then what to do."""
        received = f"（收到：{self.value}）" if self.value else ""
        return f"{self.row.zh.format(detail=self.detail_zh or self.detail)}{received}。{self._remedy[1]}。"

    @property
    def _remedy(self) -> tuple[str, str]:
        """What to do, in English and Chinese."""
        field = INDEX.sub("[]", self.field)
        return REMEDIES.get((self.number, field), (self.row.do_en, self.row.do_zh))


class AdjudicatorError(Exception):
    """An expected refusal, raised where a value cannot be returned; carries its problems."""

    def __init__(self, *problems: Problem):
        self.problems = tuple(sorted(problems, key=lambda problem: problem.number))
        super().__init__("; ".join(f"{problem.row.code} {problem.message}" for problem in self.problems))

    def __reduce__(self) -> tuple[type[AdjudicatorError], tuple[Problem, ...]]:
        """Keep the problems on the way from one process to another."""
        return type(self), self.problems


def refuse(number: E, field: str = "", detail: str = "", detail_zh: str = "") -> AdjudicatorError:
    """Return the exception for one problem: ``raise refuse(E.STORE_AWAY)``."""
    return AdjudicatorError(Problem(int(number), field, detail, detail_zh=detail_zh))
