"""Whether values lie in order: then a look at neighbours tells that none stands twice."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def is_ascending(parts: Iterable["pa.Array[Any]"]) -> bool:
    """Tell whether each value is greater than the one before it, through all parts; none may be missing.

    Text is compared by its bytes. Parts are read up to the first one that is not in order.
    """
    last = None
    for values in parts:
        if not len(values):
            continue
        if values.null_count or (last is not None and last >= values[0].as_py()):
            return False
        if not pc.all(pc.less(values[:-1], values[1:]), min_count=0).as_py():
            return False
        last = values[-1].as_py()
    return True
