"""SM2 as GB/T 32918.2 writes it down: whether a signature holds, in plain Python, slowly."""

import hashlib

# The recommended curve, GB/T 32918.5.
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int] | None


def does_signature_hold(public: tuple[int, int], signer: bytes, message: bytes, signature: bytes) -> bool:
    r, s = numbers_of(signature)
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    e = int.from_bytes(_sm3(_who(public, signer) + message))
    point = _add(_times(s, G), _times((r + s) % N, public))
    return point is not None and (e + point[0]) % N == r


def numbers_of(signature: bytes) -> tuple[int, int]:
    """Read r and s from DER: 30 length 02 length r 02 length s."""
    assert signature[0] == 0x30
    assert signature[1] == len(signature) - 2
    numbers, rest = [], signature[2:]
    while rest:
        assert rest[0] == 0x02
        numbers.append(int.from_bytes(rest[2 : 2 + rest[1]]))
        rest = rest[2 + rest[1] :]
    r, s = numbers
    return r, s


def der_of(r: int, s: int) -> bytes:
    body = b"".join(b"\x02" + bytes([len(part)]) + part for part in map(_whole, (r, s)))
    return b"\x30" + bytes([len(body)]) + body


def _whole(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


def _who(public: tuple[int, int], signer: bytes) -> bytes:
    coordinates = b"".join(number.to_bytes(32) for number in (A, B, *G, *public))
    return _sm3((len(signer) * 8).to_bytes(2) + signer + coordinates)


def _sm3(content: bytes) -> bytes:
    return hashlib.new("sm3", content).digest()


def _add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    if first[0] == second[0] and (first[1] + second[1]) % P == 0:
        return None
    if first == second:
        slope = (3 * first[0] ** 2 + A) * pow(2 * first[1], -1, P)
    else:
        slope = (second[1] - first[1]) * pow(second[0] - first[0], -1, P)
    x = (slope * slope - first[0] - second[0]) % P
    return x, (slope * (first[0] - x) - first[1]) % P


def _times(factor: int, point: Point) -> Point:
    product: Point = None
    while factor:
        if factor & 1:
            product = _add(product, point)
        point = _add(point, point)
        factor >>= 1
    return product
