"""Every maximum has a name. A value beyond its limit is refused with an error that names the limit."""

MAX_LINES_PER_CLAIM = 10_000
MAX_DIAGNOSES_PER_CLAIM = 200
MAX_PROCEDURES_PER_CLAIM = 200
MAX_CLAIMS_PER_BATCH = 10_000
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""A batch of 1,000 claims of 50 lines has about 10 MB."""

MAX_ID_BYTES = 64
"""Room for an id in files and keys; those of a claim are shorter."""
MAX_NATIONAL_ID_BYTES = 30
"""Encounter ids, person numbers and line serials of a claim, as in the national interface."""
MAX_INSTITUTION_BYTES = 12
"""Institution codes [fixmedins_code]."""
MAX_CODE_BYTES = 64

MAX_AMOUNT_FEN = 10**12
"""Ten thousand million yuan: more than any claim; rate products stay below 2**63 (10**12 * 10**6 < 9.2 * 10**18)."""
NO_CEILING_E4 = 999_999_000_000
"""Price ceiling of an item that has none: the national 999999 yuan [pric_uplmt_amt], in 1/10000 fen."""
MAX_UNIT_PRICE_E4 = NO_CEILING_E4
"""No price is above it, so an item without a ceiling is never over it."""
MAX_QUANTITY_E4 = 10**10
"""One million units, in 1/10000 unit; price times quantity is computed exactly in two parts (catalogue.line_split)."""

MAX_AGE_YEARS = 150
MAX_FETUSES = 20
"""Children of one delivery; more is a slip of the keyboard."""
MAX_STAY_DAYS = 36_500
FIRST_DATE = 19_900_101
LAST_DATE = 20_991_231
LATE_DAYS = 180
"""Days between the care and its settlement from which a year may have been mistyped: a warning."""
BEFORE_ADMISSION_DAYS = 31
"""Days before admission that fees of emergency care and tests may be of: a warning beyond them."""
LEAST_BIRTH_WEIGHT_G, MOST_BIRTH_WEIGHT_G = 200, 9_000
"""Usual birth weights; a warning outside."""
MOST_USUAL_AGE_YEARS = 120
MOST_USUAL_FETUSES = 5
MOST_USUAL_BALANCE_FEN = 10**8
"""A million yuan in one personal account; a warning beyond it."""

MAX_HOSPITAL_LEVELS = 8
"""Level groups of a pack (社区, 一级, 二级, 三级, 省级, ...)."""
MAX_PERSON_GROUPS = 8
"""Person groups of a pack (在职, 退休, 学生, ...)."""
MAX_TIERS = 8
"""Tiers of a rate table."""
MAX_BANDS = 8
"""Bands of catastrophic insurance."""
MAX_ASSISTANCE_CATEGORIES = 12
"""Categories of medical assistance of a pack, "none" included."""
MAX_NTH_STAYS = 4
"""Deductible of the first, second, third stay; the last one holds for all that follow."""
MAX_AGE_STEPS = 8
"""Steps of an age-dependent rate."""
MAX_CONTRIBUTION_TIERS = 8
"""Contribution tiers of residents, 0 included."""
MAX_PROGRAMME_PARTS = 3
"""Parts of a supplementary insurance with thresholds of their own."""
