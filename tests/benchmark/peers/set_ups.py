"""How the peers compare what they are given, by the data at hand: births of the city, persons of FEBRL.

Both libraries compare the same columns and block on the same values.
"""

BLOCKS = {
    "city": (
        ("certificate_number",),
        ("mother_document",),
        ("father_document",),
        ("birth_date", "mother_birth_date"),
        ("birth_date", "mother_name"),
        ("birth_date", "father_name"),
        ("birth_date", "mother_phone"),
    ),
    "febrl4": (
        ("given_name", "surname"),
        ("date_of_birth",),
        ("soc_sec_id",),
        ("street_number", "address_1"),
        ("postcode",),
    ),
}
EXACT = {
    "city": (
        "certificate_number",
        "birth_date",
        "sex_code",
        "plural_order",
        "parity",
        "mother_birth_date",
        "mother_phone",
        "mother_division",
        "father_birth_date",
    ),
    "febrl4": ("street_number", "postcode", "date_of_birth", "soc_sec_id"),
}
DOCUMENTS = {"city": ("mother_document", "father_document"), "febrl4": ()}
NAMES = {
    "city": ("child_name", "mother_name", "father_name"),
    "febrl4": ("given_name", "surname", "address_1", "suburb"),
}
# A pair is a link if its probability is above this and it is the best of both its sides.
LEAST = 0.9
